use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use barkeep_types::{Session, TimeRange};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::Calendar;

/// A calendar with days that differ from its rules: what the caller says of a day wins.
///
/// ```
/// use barkeep_calendar::{Calendar, Nyse, Overrides};
/// use chrono::NaiveDate;
///
/// let storm = NaiveDate::from_ymd_opt(2031, 10, 29).unwrap();
/// let calendar = Overrides::new(Nyse).with_closure(storm);
/// assert!(Nyse.session(storm).is_some() && calendar.session(storm).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Overrides<C> {
    rules: C,
    days: BTreeMap<NaiveDate, Option<Session>>,
}

impl<C: Calendar> Overrides<C> {
    /// The rules as they are.
    pub fn new(rules: C) -> Self {
        Self { rules, days: BTreeMap::new() }
    }

    /// Closes `date`.
    #[must_use]
    pub fn with_closure(mut self, date: NaiveDate) -> Self {
        self.days.insert(date, None);
        self
    }

    /// Gives the session's date these hours, whether it was a session before or not.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        self.days.insert(session.date(), Some(session));
        self
    }

    /// Ends the regular hours of `date` at `close` and its extended hours at `post_close`.
    ///
    /// Changes nothing on a day without a session, or if the times do not follow the open in order.
    #[must_use]
    pub fn with_close(self, date: NaiveDate, close: DateTime<Utc>, post_close: DateTime<Utc>) -> Self {
        let changed = self.session(date).and_then(|session| {
            let regular = TimeRange::new(session.open(), close).ok()?;
            let extended = TimeRange::new(session.pre_open(), post_close).ok()?;
            Session::new(date, regular, extended).ok()
        });
        match changed {
            Some(session) => self.with_session(session),
            None => self,
        }
    }

    /// Takes a vendor's word for all of `dates`: those without a session in the list are closed.
    ///
    /// Sessions of other dates in the list are taken too.
    #[must_use]
    pub fn with_list(mut self, dates: RangeInclusive<NaiveDate>, sessions: impl IntoIterator<Item = Session>) -> Self {
        let (first, last) = dates.into_inner();
        self.days.extend(first.iter_days().take_while(|date| *date <= last).map(|date| (date, None)));
        sessions.into_iter().fold(self, Self::with_session)
    }
}

impl<C: Calendar> Calendar for Overrides<C> {
    fn time_zone(&self) -> Tz {
        self.rules.time_zone()
    }

    fn session(&self, date: NaiveDate) -> Option<Session> {
        match self.days.get(&date) {
            Some(day) => *day,
            None => self.rules.session(date),
        }
    }
}
