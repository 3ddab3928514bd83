use barkeep_types::{Session, TimeRange};
use chrono::{Datelike, NaiveDate, Offset, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::Calendar;

mod holidays;

/// The New York Stock Exchange (XNYS), by rule, from 1990 on and without end. Nasdaq keeps the same days and hours.
///
/// Regular hours are 09:30 to 16:00 New York, extended hours 04:00 to 20:00; on early closes 13:00 and 17:00. Closures
/// that no rule foresees are known up to 2025-01-09; give later ones to [`Overrides`](crate::Overrides).
///
/// Before [`Nyse::FIRST_YEAR`] there are no sessions: that is the end of what was checked, not of trading. Extended
/// hours are given for all years in today's form, though venues offered them only later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Nyse;

/// Minutes from midnight to the open.
const OPEN_MINUTE: i64 = 9 * 60 + 30;

impl Nyse {
    /// The first year with sessions.
    pub const FIRST_YEAR: i32 = 1990;

    /// The hour at which regular trading ends on `date`, by the clock of New York; `None` if the exchange is closed.
    fn close(date: NaiveDate) -> Option<i64> {
        let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let is_closed = is_weekend || date.year() < Self::FIRST_YEAR || holidays::is_closed(date);
        (!is_closed).then(|| holidays::early_close(date).unwrap_or(16))
    }
}

impl Calendar for Nyse {
    fn time_zone(&self) -> Tz {
        Tz::America__New_York
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        let close = Self::close(date)?;
        // New York changes its clocks on Sundays: hours of a weekday are as long as they look, and noon's offset is
        // the whole day's, found in half the time that a local time takes, which may exist twice or not at all.
        let offset = self.time_zone().offset_from_utc_datetime(&date.and_hms_opt(17, 0, 0)?).fix();
        let open = date.and_hms_opt(9, 30, 0)?.and_utc() - TimeDelta::seconds(offset.local_minus_utc().into());
        let after = |minutes| open + TimeDelta::minutes(minutes);
        let regular = TimeRange::new(open, after(60 * close - OPEN_MINUTE)).ok()?;
        let post_close = if close < 16 { 17 } else { 20 };
        let extended = TimeRange::new(after(60 * 4 - OPEN_MINUTE), after(60 * post_close - OPEN_MINUTE)).ok()?;
        Session::new(date, regular, extended).ok()
    }
}

#[cfg(test)]
mod tests;
