//! Where a market is: whose midnights its days, weeks and months start at.

use barkeep_types::Symbol;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::America::New_York;

use crate::stamp::DAY;

/// The places where coins trade.
pub(crate) const PLACES: [&str; 5] = ["us", "us-1", "us-2", "eu-1", "bs-1"];

/// The zone of each of Alpaca's two markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Zone {
    /// Of stocks.
    NewYork,
    /// Of coins.
    Utc,
}

impl Zone {
    /// Where a symbol trades: only coins are written with a slash.
    pub(crate) fn of(symbol: &Symbol) -> Self {
        if symbol.as_str().contains('/') { Self::Utc } else { Self::NewYork }
    }

    /// The date of an instant in Unix seconds.
    pub(crate) fn date(self, seconds: i64) -> NaiveDate {
        let instant = DateTime::from_timestamp_secs(seconds).unwrap_or_default();
        match self {
            Self::NewYork => instant.with_timezone(&New_York).date_naive(),
            Self::Utc => instant.date_naive(),
        }
    }

    /// Where a date starts, in Unix seconds.
    pub(crate) fn midnight(self, date: NaiveDate) -> i64 {
        match self {
            Self::NewYork => {
                let local = New_York.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest();
                local.expect("New York's clocks do not change at midnight").timestamp()
            }
            Self::Utc => i64::from(date.to_epoch_days()) * DAY,
        }
    }
}
