use std::ops::RangeInclusive;

use barkeep_types::Session;
use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::Calendar;

/// A calendar with the sessions of some years worked out beforehand; it asks its rules about all other dates.
///
/// Worth it where many questions are asked: finding a session is then a binary search instead of the rules of holidays
/// and time zones.
#[derive(Clone, Debug)]
pub struct Table<C> {
    rules: C,
    dates: RangeInclusive<NaiveDate>,
    // Invariant: in order of date, and all those within `dates`.
    sessions: Vec<Session>,
}

impl<C: Calendar> Table<C> {
    /// Works out the sessions of `dates`; none if the range is empty.
    pub fn new(rules: C, dates: RangeInclusive<NaiveDate>) -> Self {
        let days = dates.start().iter_days().take_while(|date| dates.contains(date));
        let sessions = days.filter_map(|date| rules.session(date)).collect();
        Self { rules, dates, sessions }
    }

    /// The sessions of the table's dates, earliest first.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }
}

impl<C: Calendar> Calendar for Table<C> {
    fn time_zone(&self) -> Tz {
        self.rules.time_zone()
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        if !self.dates.contains(&date) {
            return self.rules.session(date);
        }
        let found = self.sessions.binary_search_by_key(&date, Session::date).ok()?;
        Some(self.sessions[found])
    }
}
