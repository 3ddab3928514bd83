//! The days on which a market trades, as spans of Unix seconds.

use std::fmt;
use std::sync::{Arc, OnceLock};

use barkeep_calendar::Calendar;
use barkeep_types::Session;
use chrono::{Datelike, NaiveDate};

use crate::stamp::DAY;
use crate::zone::Zone;

/// One trading day. All bounds are half-open and on whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    /// Days from 1970-01-01 to the date where the market is.
    pub(crate) number: i64,
    /// Midnight where the market is: the start of the day's daily bar.
    pub(crate) midnight: i64,
    pub(crate) first: i64,
    pub(crate) end: i64,
    pub(crate) open: i64,
    pub(crate) close: i64,
}

impl Day {
    pub(crate) fn minutes(&self) -> usize {
        usize::try_from((self.end - self.first) / 60).unwrap_or(0)
    }

    fn of(session: &Session) -> Self {
        Self {
            number: session.date().to_epoch_days().into(),
            midnight: Zone::NewYork.midnight(session.date()),
            first: session.pre_open().timestamp(),
            end: session.post_close().timestamp(),
            open: session.open().timestamp(),
            close: session.close().timestamp(),
        }
    }

    fn around_the_clock(number: i64) -> Self {
        let (first, end) = (number * DAY, (number + 1) * DAY);
        Self { number, midnight: first, first, end, open: first, close: end }
    }
}

const FIRST_YEAR: i32 = 1970;
const YEARS: i32 = 131;

/// The trading days of stocks by a calendar, each year's made once, and those of coins, which need none.
#[derive(Clone)]
pub(crate) struct Days(Arc<Years>);

struct Years {
    calendar: Box<dyn Calendar>,
    years: Vec<OnceLock<Vec<Day>>>,
}

impl Days {
    pub(crate) fn new(calendar: impl Calendar + 'static) -> Self {
        let years = (0..YEARS).map(|_| OnceLock::new()).collect();
        Self(Arc::new(Years { calendar: Box::new(calendar), years }))
    }

    pub(crate) fn session(&self, date: NaiveDate) -> Option<Session> {
        self.0.calendar.session(date)
    }

    /// The days whose midnight or trading lies within `[from, to]`, earliest first, 1970 to 2100.
    pub(crate) fn within(&self, zone: Zone, from: i64, to: i64) -> Vec<Day> {
        let (from, to) = (from.max(0), to.min(i64::from(YEARS) * 366 * DAY));
        if from > to {
            return Vec::new();
        }
        match zone {
            Zone::Utc => (from.div_euclid(DAY)..=to.div_euclid(DAY)).map(Day::around_the_clock).collect(),
            Zone::NewYork => {
                let years = zone.date(from).year()..=zone.date(to).year();
                let days = years.flat_map(|year| self.of_year(year).iter().copied());
                days.filter(|day| day.end > from && day.midnight <= to).collect()
            }
        }
    }

    fn of_year(&self, year: i32) -> &[Day] {
        let slot = usize::try_from(year - FIRST_YEAR).ok().and_then(|index| self.0.years.get(index));
        let Some(slot) = slot else { return &[] };
        slot.get_or_init(|| {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("the years are within chrono's");
            let dates = first.iter_days().take_while(|date| date.year() == year);
            dates.filter_map(|date| self.session(date).as_ref().map(Day::of)).collect()
        })
    }
}

impl fmt::Debug for Days {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.calendar.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use barkeep_calendar::Nyse;

    use super::*;
    use crate::stamp::text;

    fn at(text: &str) -> i64 {
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp()
    }

    #[test]
    fn stocks_trade_from_four_to_eight_new_york() {
        let days = Days::new(Nyse).within(Zone::NewYork, at("2024-03-08T00:00:00Z"), at("2024-03-11T23:00:00Z"));
        let hours: Vec<_> = days.iter().map(|day| (text(day.first), text(day.end))).collect();
        let hour = |first: &str, end: &str| (first.to_owned(), end.to_owned());
        assert_eq!(
            hours,
            [
                // What of the 7th was still trading at midnight UTC.
                hour("2024-03-07T09:00:00Z", "2024-03-08T01:00:00Z"),
                hour("2024-03-08T09:00:00Z", "2024-03-09T01:00:00Z"),
                hour("2024-03-11T08:00:00Z", "2024-03-12T00:00:00Z"),
            ]
        );
    }

    #[test]
    fn an_early_close_has_fewer_minutes_and_a_holiday_none() {
        let days = Days::new(Nyse).within(Zone::NewYork, at("2024-07-03T05:00:00Z"), at("2024-07-05T03:00:00Z"));
        assert_eq!(days.iter().map(Day::minutes).collect::<Vec<_>>(), [13 * 60]);
    }

    #[test]
    fn coins_trade_around_the_clock() {
        let days = Days::new(Nyse).within(Zone::Utc, at("2024-07-04T12:00:00Z"), at("2024-07-06T00:00:00Z"));
        assert_eq!(days.iter().map(Day::minutes).collect::<Vec<_>>(), [1440; 3]);
    }
}
