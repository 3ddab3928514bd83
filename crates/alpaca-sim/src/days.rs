//! The days on which a market trades, as spans of Unix seconds.

use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::America::New_York;

use crate::stamp::DAY;

/// When Alpaca's two markets trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Calendar {
    /// New York's sessions, 04:00 to 20:00 with pre-market and after-hours trading.
    NewYork,
    /// Around the clock; days are UTC days.
    Always,
}

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
}

const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2100;

impl Calendar {
    /// The date where the market is.
    pub(crate) fn date(self, seconds: i64) -> NaiveDate {
        let instant = chrono::DateTime::from_timestamp_secs(seconds).unwrap_or_default();
        match self {
            Self::NewYork => instant.with_timezone(&New_York).date_naive(),
            Self::Always => instant.date_naive(),
        }
    }

    /// Where a date starts.
    pub(crate) fn midnight(self, date: NaiveDate) -> i64 {
        match self {
            Self::NewYork => new_york(date, NaiveTime::MIN),
            Self::Always => number(date) * DAY,
        }
    }

    /// The trading days that have a moment between two instants, both inclusive; earliest first, 1970 to 2100.
    pub(crate) fn days(self, from: i64, to: i64) -> Vec<Day> {
        let (from, to) = (from.max(0), to.min(i64::from(LAST_YEAR - FIRST_YEAR + 1) * 366 * DAY));
        match self {
            Self::Always if from > to => Vec::new(),
            Self::Always => (from.div_euclid(DAY)..=to.div_euclid(DAY)).map(around_the_clock).collect(),
            Self::NewYork => {
                let years = self.date(from).year()..=self.date(to).year();
                let days = years.flat_map(|year| sessions(year).iter().copied());
                // By midnight, so that a daily bar belongs to the span that holds its start.
                days.filter(|day| day.end > from && day.midnight <= to).collect()
            }
        }
    }
}

fn number(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

fn new_york(date: NaiveDate, time: NaiveTime) -> i64 {
    let local = New_York.from_local_datetime(&date.and_time(time)).earliest();
    local.expect("New York's clocks change at two, and no bound lies there").timestamp()
}

fn around_the_clock(number: i64) -> Day {
    let (first, end) = (number * DAY, (number + 1) * DAY);
    Day { number, midnight: first, first, end, open: first, close: end }
}

/// The sessions of a year, made once.
fn sessions(year: i32) -> &'static [Day] {
    static YEARS: [OnceLock<Vec<Day>>; (LAST_YEAR - FIRST_YEAR + 1) as usize] =
        [const { OnceLock::new() }; (LAST_YEAR - FIRST_YEAR + 1) as usize];
    let index = usize::try_from(year - FIRST_YEAR).ok();
    let Some(year_days) = index.and_then(|index| YEARS.get(index)) else { return &[] };
    year_days.get_or_init(|| {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("years are few");
        first.iter_days().take_while(|date| date.year() == year).filter_map(session).collect()
    })
}

fn session(date: NaiveDate) -> Option<Day> {
    if date.weekday().number_from_monday() > 5 {
        return None;
    }
    let at = |hour, minute| new_york(date, NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of the day"));
    Some(Day {
        number: number(date),
        midnight: at(0, 0),
        first: at(4, 0),
        end: at(20, 0),
        open: at(9, 30),
        close: at(16, 0),
    })
}
