#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::fmt::Debug;

use barkeep_types::Session;
use chrono::NaiveDate;
use chrono_tz::Tz;

mod always;
mod local;
mod nyse;
mod overrides;
mod queries;
mod table;

pub use always::Always;
pub use local::{InvalidTradingDay, TradingDay};
pub use nyse::Nyse;
pub use overrides::{InvalidClose, Overrides};
pub use queries::CalendarExt;
pub use table::Table;

/// When a market trades: what an exchange owes. [`CalendarExt`] makes everything else of it.
///
/// # Contract
///
/// - The same date gets the same answer, always: a calendar is a rule, not a clock.
/// - A session has the date it was asked for, and lies between a day before that date and a day after it, so a
///   session may start on the evening before.
/// - Sessions of later dates start later, and no two overlap.
///
/// [`TradingDay::on`] turns wall-clock hours into a session:
///
/// ```
/// use barkeep_calendar::{Calendar, CalendarExt, TradingDay};
/// use barkeep_types::Session;
/// use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
/// use chrono_tz::Tz;
///
/// /// Monday to Friday, without a holiday.
/// #[derive(Debug)]
/// struct Weekdays;
///
/// impl Calendar for Weekdays {
///     fn time_zone(&self) -> Tz {
///         Tz::Europe__Berlin
///     }
///
///     fn session(&self, date: NaiveDate) -> Option<Session> {
///         let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
///         let day = TradingDay::new(at(8, 0)?, at(9, 0)?, at(17, 30)?, at(22, 0)?).ok()?;
///         let is_weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
///         (!is_weekend).then(|| day.on(date, self.time_zone()))?
///     }
/// }
///
/// let friday = NaiveDate::from_ymd_opt(2024, 3, 8).unwrap();
/// assert_eq!(Weekdays.next_session(friday).unwrap().date().to_string(), "2024-03-11");
/// ```
pub trait Calendar: Debug + Send + Sync {
    /// The exchange's time zone, in which days, weeks and months begin at midnight.
    fn time_zone(&self) -> Tz;

    /// The trading hours of `date`, a date where the exchange is; `None` if it is closed.
    fn session(&self, date: NaiveDate) -> Option<Session>;
}

const _: fn(&dyn Calendar) = |_| {}; // Stays usable as `dyn Calendar`.

impl<C: Calendar + ?Sized> Calendar for &C {
    fn time_zone(&self) -> Tz {
        (**self).time_zone()
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        (**self).session(date)
    }
}

impl<C: Calendar + ?Sized> Calendar for Box<C> {
    fn time_zone(&self) -> Tz {
        (**self).time_zone()
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        (**self).session(date)
    }
}

impl<C: Calendar + ?Sized> Calendar for std::sync::Arc<C> {
    fn time_zone(&self) -> Tz {
        (**self).time_zone()
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        (**self).session(date)
    }
}
