use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// When an unattended orchestrator looks for gaps: every so often, or by a cron expression where some clock hangs.
///
/// ```
/// use barkeep_orchestrator::Schedule;
///
/// let each_evening = Schedule::cron("30 20 * * MON-FRI", "America/New_York")?;
/// assert_eq!(each_evening.to_string(), "30 20 * * MON-FRI (America/New_York)");
/// # Ok::<(), barkeep_orchestrator::InvalidSchedule>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(When);

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    Every(Duration),
    Cron { expression: String, cron: Box<Cron>, zone: Tz },
}

/// A schedule that names no instants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSchedule {
    /// The expression is none.
    #[error("invalid cron expression {expression:?}: {why}")]
    Expression {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such time zone.
    #[error("unknown time zone {0:?}: expected a name like America/New_York")]
    TimeZone(String),
}

impl InvalidSchedule {
    /// The stable code of this error.
    pub const CODE: &str = "VALIDATION_ERROR";
}

impl Schedule {
    /// At once, and then at this interval; at least every second.
    pub fn every(interval: Duration) -> Self {
        Self(When::Every(interval.max(Duration::from_secs(1))))
    }

    /// By a cron expression of five fields, or of six with seconds first, read in the time zone of this name. An hour that
    /// a change of clocks leaves out is made up for right after it; one that comes twice counts once.
    ///
    /// # Errors
    ///
    /// [`InvalidSchedule`], which says what is wrong.
    pub fn cron(expression: &str, time_zone: &str) -> Result<Self, InvalidSchedule> {
        let zone = time_zone.parse().map_err(|_| InvalidSchedule::TimeZone(time_zone.to_owned()))?;
        let invalid = |why: String| InvalidSchedule::Expression { expression: expression.to_owned(), why };
        let cron = Cron::from_str(expression).map_err(|error| invalid(error.to_string()))?;
        let schedule = Self(When::Cron { expression: expression.to_owned(), cron: Box::new(cron), zone });
        // Such as the 31st of February.
        match schedule.next(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(invalid("it never comes".to_owned())),
        }
    }

    /// Whether the first tick is due as soon as there is somebody to do it.
    pub(crate) fn starts_at_once(&self) -> bool {
        matches!(self.0, When::Every(_))
    }

    /// The first instant after this one; `None` if there is none left.
    pub(crate) fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.0 {
            When::Every(interval) => after.checked_add_signed(chrono::TimeDelta::from_std(*interval).ok()?),
            When::Cron { cron, zone, .. } => {
                let next = cron.find_next_occurrence(&after.with_timezone(zone), false).ok()?;
                Some(next.with_timezone(&Utc))
            }
        }
    }
}

/// Every 60 seconds.
impl Default for Schedule {
    fn default() -> Self {
        Self::every(Duration::from_secs(60))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            When::Every(interval) => write!(formatter, "every {interval:?}"),
            When::Cron { expression, zone, .. } => write!(formatter, "{expression} ({zone})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_interval_counts_from_the_last_tick() {
        let schedule = Schedule::every(Duration::from_secs(90));
        assert_eq!(schedule.next(at("2026-03-06T12:00:00Z")), Some(at("2026-03-06T12:01:30Z")));
        assert_eq!(Schedule::every(Duration::ZERO), Schedule::every(Duration::from_secs(1)));
    }

    #[test]
    fn cron_follows_the_clock_of_its_zone_over_its_changes() {
        let schedule = Schedule::cron("30 20 * * MON-FRI", "America/New_York").unwrap();
        let mut next = at("2026-03-06T12:00:00Z");
        let mut evenings = Vec::new();
        for _ in 0..2 {
            next = schedule.next(next).unwrap();
            evenings.push(next);
        }
        // Friday in winter, Monday in summer.
        assert_eq!(evenings, [at("2026-03-07T01:30:00Z"), at("2026-03-10T00:30:00Z")]);
        let left_out = Schedule::cron("30 2 * * *", "America/New_York").unwrap();
        assert_eq!(left_out.next(at("2026-03-08T05:30:00Z")), Some(at("2026-03-08T07:00:00Z")));
    }

    #[test]
    fn seconds_may_come_first() {
        let schedule = Schedule::cron("*/10 * * * * *", "UTC").unwrap();
        assert_eq!(schedule.next(at("2026-03-06T12:00:01Z")), Some(at("2026-03-06T12:00:10Z")));
    }

    #[test]
    fn what_names_no_instants_is_refused() {
        for expression in ["", "* * *", "61 * * * *", "every minute", "0 0 31 2 *"] {
            let error = Schedule::cron(expression, "UTC").unwrap_err();
            assert!(matches!(&error, InvalidSchedule::Expression { expression: told, .. } if told == expression));
        }
        let error = Schedule::cron("* * * * *", "New York").unwrap_err();
        assert_eq!(error, InvalidSchedule::TimeZone("New York".to_owned()));
    }
}
