use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use barkeep_types::{Session, TimeRange};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::Calendar;

/// A calendar with days that differ from its rules: what the caller says of a day wins, and what is said last.
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
    // A listed date that is not among the days is closed.
    listed: Vec<RangeInclusive<NaiveDate>>,
    days: BTreeMap<NaiveDate, Option<Session>>,
}

/// A close that a day cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot change the close of {date}: it has no session, or the new times do not follow its open in order")]
pub struct InvalidClose {
    /// The day.
    pub date: NaiveDate,
}

impl<C: Calendar> Overrides<C> {
    /// The rules as they are.
    pub fn new(rules: C) -> Self {
        Self { rules, listed: Vec::new(), days: BTreeMap::new() }
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
    /// # Errors
    ///
    /// [`InvalidClose`] if `date` has no session, or would end before it opens or after its extended hours.
    pub fn with_close(
        self,
        date: NaiveDate,
        close: DateTime<Utc>,
        post_close: DateTime<Utc>,
    ) -> Result<Self, InvalidClose> {
        let changed = self.session(date).and_then(|session| {
            let regular = TimeRange::new(session.open(), close).ok()?;
            let extended = TimeRange::new(session.pre_open(), post_close).ok()?;
            Session::new(date, regular, extended).ok()
        });
        changed.map(|session| self.with_session(session)).ok_or(InvalidClose { date })
    }

    /// Takes a vendor's word for all of `dates`: those without a session in the list are closed, whatever was said of
    /// them before.
    ///
    /// Sessions of other dates in the list are taken too.
    #[must_use]
    pub fn with_list(mut self, dates: RangeInclusive<NaiveDate>, sessions: impl IntoIterator<Item = Session>) -> Self {
        self.days.retain(|date, _| !dates.contains(date));
        self.listed.push(dates);
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
            None if self.listed.iter().any(|dates| dates.contains(&date)) => None,
            None => self.rules.session(date),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveTime, TimeDelta};

    use super::*;
    use crate::{Nyse, TradingDay};

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 7, day).unwrap()
    }

    fn half_day(day: u32) -> Session {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let hours = TradingDay::new(at(4), at(10), at(13), at(17)).unwrap();
        hours.on(date(day), Nyse.time_zone()).unwrap()
    }

    #[test]
    fn an_extra_closure_a_changed_close_and_an_extra_session_win_over_the_rules() {
        let close = Nyse.session(date(9)).unwrap().close() - TimeDelta::hours(3);
        let calendar = Overrides::new(Nyse)
            .with_closure(date(8))
            .with_session(half_day(13))
            .with_close(date(9), close, close + TimeDelta::hours(4))
            .unwrap();
        assert_eq!(calendar.session(date(8)), None);
        assert_eq!(calendar.session(date(9)).unwrap().close(), close);
        assert_eq!(calendar.session(date(9)).unwrap().open(), Nyse.session(date(9)).unwrap().open());
        assert_eq!(calendar.session(date(13)), Some(half_day(13)), "a Saturday");
        assert_eq!(calendar.session(date(10)), Nyse.session(date(10)));
    }

    #[test]
    fn a_close_that_cannot_be_is_refused() {
        let session = Nyse.session(date(9)).unwrap();
        let change = |date, close, post_close| Overrides::new(Nyse).with_close(date, close, post_close).map(|_| ());
        let (open, post_close) = (session.open(), session.post_close());
        assert_eq!(change(date(4), open, post_close), Err(InvalidClose { date: date(4) }), "a holiday");
        assert_eq!(change(date(9), open, post_close), Err(InvalidClose { date: date(9) }));
        assert_eq!(change(date(9), post_close, open), Err(InvalidClose { date: date(9) }));
    }

    #[test]
    fn a_list_is_the_whole_truth_of_its_dates_and_what_is_said_last_wins() {
        let calendar = Overrides::new(Nyse)
            .with_session(half_day(10))
            .with_list(date(8)..=date(12), [half_day(9)])
            .with_closure(date(16));
        assert_eq!(calendar.session(date(8)), None);
        assert_eq!(calendar.session(date(9)), Some(half_day(9)));
        assert_eq!(calendar.session(date(10)), None);
        assert_eq!(calendar.session(date(15)), Nyse.session(date(15)));
        assert_eq!(calendar.with_session(half_day(8)).session(date(8)), Some(half_day(8)));
    }
}
