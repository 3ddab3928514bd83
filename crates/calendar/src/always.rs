use barkeep_types::{Session, TimeRange};
use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::{Calendar, local};

/// A market that never closes: crypto. Its sessions are the days of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Always;

impl Calendar for Always {
    fn time_zone(&self) -> Tz {
        Tz::UTC
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        let day = TimeRange::new(local::midnight(date, Tz::UTC)?, local::midnight(date.succ_opt()?, Tz::UTC)?).ok()?;
        Session::new(date, day, day).ok()
    }
}
