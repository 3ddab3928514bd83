use std::fmt;

use barkeep_types::TimeRange;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The time that a definition keeps filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The last so many days, ever moving on.
    LastDays(u32),
    /// From one instant to another, whatever the day.
    Fixed(TimeRange),
}

/// Whether an upsert may leave out time that the stored window holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Narrowing {
    /// It may not.
    #[default]
    Refuse,
    /// It may: the caller means it. Bars already stored stay.
    Allow,
}

impl Window {
    /// The most days a window may reach back: a century.
    pub const MAX_DAYS: u32 = 36_525;

    /// The window as seen at `now`; `None` where a number of days reaches out of the calendar.
    ///
    /// The orchestrator anchors both ends to sessions; this is the plain arithmetic.
    pub fn range_at(&self, now: DateTime<Utc>) -> Option<TimeRange> {
        match *self {
            Self::LastDays(days) => {
                let start = now.checked_sub_signed(TimeDelta::try_days(days.into())?)?;
                TimeRange::new(start, now).ok()
            }
            Self::Fixed(range) => Some(range),
        }
    }

    /// Whether this window leaves out time that `other` holds, on whatever day it is asked.
    ///
    /// A moving window and a fixed one drift apart with time, so exchanging one for the other counts as narrowing.
    pub fn is_narrower_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::LastDays(days), Self::LastDays(before)) => days < before,
            (Self::Fixed(range), Self::Fixed(before)) => !range.covers(before),
            (Self::LastDays(_), Self::Fixed(_)) | (Self::Fixed(_), Self::LastDays(_)) => true,
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastDays(1) => formatter.write_str("the last day"),
            Self::LastDays(days) => write!(formatter, "the last {days} days"),
            Self::Fixed(range) => range.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(first: i64, last: i64) -> TimeRange {
        let at = |day: i64| DateTime::from_timestamp(day * 86_400, 0).unwrap();
        TimeRange::new(at(first), at(last)).unwrap()
    }

    #[test]
    fn less_time_is_narrower_and_more_is_not() {
        assert!(Window::LastDays(9).is_narrower_than(&Window::LastDays(10)));
        assert!(!Window::LastDays(10).is_narrower_than(&Window::LastDays(10)));
        assert!(!Window::LastDays(11).is_narrower_than(&Window::LastDays(10)));
        assert!(Window::Fixed(days(1, 5)).is_narrower_than(&Window::Fixed(days(0, 4))));
        assert!(!Window::Fixed(days(0, 5)).is_narrower_than(&Window::Fixed(days(0, 4))));
        assert!(Window::LastDays(36_000).is_narrower_than(&Window::Fixed(days(0, 4))));
    }

    #[test]
    fn a_moving_window_ends_now() {
        let now = DateTime::from_timestamp(10 * 86_400, 0).unwrap();
        assert_eq!(Window::LastDays(4).range_at(now), Some(days(6, 10)));
        assert_eq!(Window::LastDays(0).range_at(now), None);
        assert_eq!(Window::LastDays(u32::MAX).range_at(now), None);
        assert_eq!(Window::Fixed(days(1, 2)).range_at(now), Some(days(1, 2)));
    }
}
