use barkeep_types::{Grid, Hours, Session, TimeRange, Timeframe};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};

use crate::{Calendar, local};

/// How far the next or the previous session is looked for.
const LONGEST_CLOSURE: usize = 366;

/// What can be asked of every [`Calendar`].
///
/// Bars lie on a grid: minutes and hours start at multiples of their length from midnight UTC, so that a regular
/// session's first `h1` bar starts before the open; days, weeks (from Monday) and months start at midnight where the
/// exchange is.
pub trait CalendarExt: Calendar {
    /// The sessions that trade, in extended hours, within `range`, earliest first.
    fn sessions(&self, range: TimeRange) -> impl Iterator<Item = Session> {
        sessions_near(self, range).filter(move |session| session.span(Hours::Extended).overlaps(&range))
    }

    /// The session in whose hours `instant` lies.
    fn session_at(&self, instant: DateTime<Utc>, hours: Hours) -> Option<Session> {
        let date = local::date_at(instant, self.time_zone());
        [date.pred_opt(), Some(date), date.succ_opt()]
            .into_iter()
            .flatten()
            .filter_map(|date| self.session(date))
            .find(|session| session.span(hours).contains(instant))
    }

    /// Whether the market trades at `instant`.
    fn is_open(&self, instant: DateTime<Utc>, hours: Hours) -> bool {
        self.session_at(instant, hours).is_some()
    }

    /// The first session after the one of `date`; `None` if there is none within a year.
    fn next_session(&self, date: NaiveDate) -> Option<Session> {
        date.iter_days().skip(1).take(LONGEST_CLOSURE).find_map(|date| self.session(date))
    }

    /// The last session before the one of `date`; `None` if there is none within a year.
    fn previous_session(&self, date: NaiveDate) -> Option<Session> {
        std::iter::successors(date.pred_opt(), NaiveDate::pred_opt)
            .take(LONGEST_CLOSURE)
            .find_map(|date| self.session(date))
    }

    /// The place on the bar grid that `instant` lies in, whether the market trades then or not.
    ///
    /// ```
    /// use barkeep_calendar::{CalendarExt, Nyse};
    /// use barkeep_types::Timeframe;
    ///
    /// let noon = "2024-07-04T16:00:00Z".parse()?;
    /// let week = Nyse.bar_at(Timeframe::W1, noon).unwrap();
    /// assert_eq!(week.to_string(), "[2024-07-01T04:00:00Z, 2024-07-08T04:00:00Z)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// `None` beyond the years 1 to 9999.
    fn bar_at(&self, timeframe: Timeframe, instant: DateTime<Utc>) -> Option<TimeRange> {
        let start = match timeframe.length() {
            Some(length) => floor(instant, length)?,
            None => {
                let date = local::date_at(instant, self.time_zone());
                local::midnight(first_date(timeframe, date)?, self.time_zone())?
            }
        };
        let bar = TimeRange::new(start, self.bar_end(timeframe, start)?).ok()?;
        bar.contains(instant).then_some(bar)
    }

    /// Where the bar that starts at `start` ends; `None` beyond the years 1 to 9999.
    fn bar_end(&self, timeframe: Timeframe, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match timeframe.length() {
            Some(length) => start.checked_add_signed(length),
            None => {
                let date = local::date_at(start, self.time_zone());
                let end = local::midnight(next_date(timeframe, date)?, self.time_zone());
                end.filter(|end| *end > start)
            }
        }
    }

    /// The spans of time that the bars starting within `range` fill, in order and without overlap.
    ///
    /// Minutes and hours: each session's hours, widened to whole bars of the grid. Days, weeks and months: one span a
    /// bar, for each with a session in it. A span may end after `range` does, as its last bar may.
    ///
    /// ```
    /// use barkeep_calendar::{CalendarExt, Nyse};
    /// use barkeep_types::{Hours, TimeRange, Timeframe};
    ///
    /// let day = TimeRange::new("2024-03-08T00:00:00Z".parse()?, "2024-03-09T00:00:00Z".parse()?)?;
    /// let spans = Nyse.spans(Timeframe::H1, Hours::Regular, day);
    /// // New York opens at 14:30 UTC; the bar of 14:00 holds the first half hour.
    /// assert_eq!(spans[0].to_string(), "[2024-03-08T14:00:00Z, 2024-03-08T21:00:00Z)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn spans(&self, timeframe: Timeframe, hours: Hours, range: TimeRange) -> Vec<TimeRange> {
        match timeframe.length() {
            Some(length) => session_spans(self, length, hours, range),
            None => period_spans(self, timeframe, range),
        }
    }

    /// The bars that start within `range`, numbered: counts, and slots of instants and back.
    fn grid(&self, timeframe: Timeframe, hours: Hours, range: TimeRange) -> Grid {
        Grid::new(timeframe, self.spans(timeframe, hours, range))
    }
}

impl<C: Calendar + ?Sized> CalendarExt for C {}

/// The sessions dated within a day or two of `range`: a session may trade on the evening before its date.
fn sessions_near<C: Calendar + ?Sized>(calendar: &C, range: TimeRange) -> impl Iterator<Item = Session> {
    let zone = calendar.time_zone();
    let first = local::date_at(range.start(), zone) - Days::new(2);
    let last = local::date_at(range.end(), zone) + Days::new(2);
    first.iter_days().take_while(move |date| *date <= last).filter_map(move |date| calendar.session(date))
}

fn session_spans<C: Calendar + ?Sized>(
    calendar: &C,
    length: TimeDelta,
    hours: Hours,
    range: TimeRange,
) -> Vec<TimeRange> {
    let mut spans: Vec<TimeRange> = Vec::new();
    let (Some(first), Some(last)) = (ceil(range.start(), length), ceil(range.end(), length)) else {
        return spans;
    };
    for session in sessions_near(calendar, range).map(|session| session.span(hours)) {
        let (Some(start), Some(end)) = (floor(session.start(), length), ceil(session.end(), length)) else {
            continue;
        };
        // Widened to the grid, a session may reach into the one before.
        let free = spans.last().map_or(first, TimeRange::end).max(first);
        spans.extend(TimeRange::new(start.max(free), end.min(last)));
    }
    spans
}

fn period_spans<C: Calendar + ?Sized>(calendar: &C, timeframe: Timeframe, range: TimeRange) -> Vec<TimeRange> {
    let zone = calendar.time_zone();
    let mut spans = Vec::new();
    let mut next = first_date(timeframe, local::date_at(range.start(), zone));
    while let Some(date) = next {
        next = next_date(timeframe, date);
        let bounds = local::midnight(date, zone).zip(next.and_then(|next| local::midnight(next, zone)));
        let Some(bar) = bounds.and_then(|(start, end)| TimeRange::new(start, end).ok()) else { break };
        if bar.start() >= range.end() {
            break;
        }
        let mut dates = date.iter_days().take_while(|date| next.is_none_or(|next| *date < next));
        if range.contains(bar.start()) && dates.any(|date| calendar.session(date).is_some()) {
            spans.push(bar);
        }
    }
    spans
}

/// The first date of the day, week or month that `date` is in.
fn first_date(timeframe: Timeframe, date: NaiveDate) -> Option<NaiveDate> {
    match timeframe {
        Timeframe::W1 => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into())),
        Timeframe::Mn1 => date.with_day(1),
        _ => Some(date),
    }
}

/// The first date of the day, week or month after the one that starts at `date`.
fn next_date(timeframe: Timeframe, date: NaiveDate) -> Option<NaiveDate> {
    let first = first_date(timeframe, date)?;
    match timeframe {
        Timeframe::W1 => first.checked_add_days(Days::new(7)),
        Timeframe::Mn1 => first.checked_add_months(Months::new(1)),
        _ => first.succ_opt(),
    }
}

/// The last multiple of `length` since midnight UTC that is not after `instant`; every length divides the day.
fn floor(instant: DateTime<Utc>, length: TimeDelta) -> Option<DateTime<Utc>> {
    let into_bar = instant.timestamp().rem_euclid(length.num_seconds());
    DateTime::from_timestamp(instant.timestamp() - into_bar, 0)
}

/// The first multiple of `length` since midnight UTC that is not before `instant`.
fn ceil(instant: DateTime<Utc>, length: TimeDelta) -> Option<DateTime<Utc>> {
    let start = floor(instant, length)?;
    if start == instant { Some(start) } else { start.checked_add_signed(length) }
}

#[cfg(test)]
mod tests;
