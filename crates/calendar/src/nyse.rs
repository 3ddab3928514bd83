use barkeep_types::Session;
use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::{Calendar, TradingDay};

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

impl Nyse {
    /// The first year with sessions.
    pub const FIRST_YEAR: i32 = 1990;

    /// Where regular trading ends on `date`, by the clock of New York; `None` if the exchange is closed.
    fn close(date: NaiveDate) -> Option<NaiveTime> {
        let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        if is_weekend || date.year() < Self::FIRST_YEAR || holidays::is_closed(date) {
            return None;
        }
        NaiveTime::from_hms_opt(holidays::early_close(date).unwrap_or(16), 0, 0)
    }
}

impl Calendar for Nyse {
    fn time_zone(&self) -> Tz {
        Tz::America__New_York
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        let close = Self::close(date)?;
        let is_early = close < NaiveTime::from_hms_opt(16, 0, 0)?;
        let day = TradingDay::new(
            NaiveTime::from_hms_opt(4, 0, 0)?,
            NaiveTime::from_hms_opt(9, 30, 0)?,
            close,
            NaiveTime::from_hms_opt(if is_early { 17 } else { 20 }, 0, 0)?,
        );
        day.ok()?.on(date, self.time_zone())
    }
}

#[cfg(test)]
mod tests;
