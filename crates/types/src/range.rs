use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A half-open span of time: `start` is in it, `end` is not. Never empty.
///
/// Half-open ranges meet without overlapping, so a day cut into slices covers every instant exactly once.
///
/// ```
/// use barkeep_types::TimeRange;
///
/// let morning = TimeRange::new("2024-03-08T14:30:00Z".parse()?, "2024-03-08T17:00:00Z".parse()?)?;
/// assert!(morning.contains(morning.start()));
/// assert!(!morning.contains(morning.end()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct TimeRange {
    // Invariant: start < end.
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// A span whose end is not after its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("empty time range: the end {end} is not after the start {start}")]
pub struct EmptyRange {
    /// Where the span was to start.
    pub start: DateTime<Utc>,
    /// Where it was to end.
    pub end: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct Ends {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl TimeRange {
    /// All the time there is.
    pub const ALWAYS: Self = Self { start: DateTime::<Utc>::MIN_UTC, end: DateTime::<Utc>::MAX_UTC };

    /// Makes the range from `start` up to, and not including, `end`.
    ///
    /// # Errors
    ///
    /// [`EmptyRange`] if `end` is not after `start`.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, EmptyRange> {
        if start < end { Ok(Self { start, end }) } else { Err(EmptyRange { start, end }) }
    }

    /// The first instant of the range.
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after the range.
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// How long the range is; always positive.
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }

    /// Whether `instant` is in the range.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether all of `other` is in the range.
    pub fn covers(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What the two share.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }

    /// The part before `instant`.
    pub fn before(&self, instant: DateTime<Utc>) -> Option<Self> {
        Self::new(self.start, self.end.min(instant)).ok()
    }

    /// The part from `instant` on.
    pub fn from(&self, instant: DateTime<Utc>) -> Option<Self> {
        Self::new(self.start.max(instant), self.end).ok()
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        write!(formatter, "[{}, {})", text(self.start), text(self.end))
    }
}

impl TryFrom<Ends> for TimeRange {
    type Error = EmptyRange;

    fn try_from(ends: Ends) -> Result<Self, EmptyRange> {
        Self::new(ends.start, ends.end)
    }
}

impl From<TimeRange> for Ends {
    fn from(range: TimeRange) -> Self {
        Self { start: range.start, end: range.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn a_range_is_never_empty() {
        assert_eq!(TimeRange::new(at(1), at(1)), Err(EmptyRange { start: at(1), end: at(1) }));
        assert!(TimeRange::new(at(2), at(1)).is_err());
        assert_eq!(range(0, 2).intersection(&range(2, 4)), None);
        assert_eq!(range(0, 2).before(at(0)), None);
        assert_eq!(range(0, 2).from(at(2)), None);
    }

    #[test]
    fn an_empty_range_cannot_be_read_from_json_either() {
        let json = serde_json::to_string(&range(0, 60)).unwrap();
        assert_eq!(json, r#"{"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z"}"#);
        assert_eq!(serde_json::from_str::<TimeRange>(&json).unwrap(), range(0, 60));
        let inverted = json.replace("00:01", "00:00");
        assert!(serde_json::from_str::<TimeRange>(&inverted).unwrap_err().to_string().contains("empty time range"));
    }

    #[test]
    fn neighbours_meet_without_overlapping() {
        let (left, right) = (range(0, 2), range(2, 4));
        assert!(!left.overlaps(&right) && !right.overlaps(&left));
        assert!(!left.contains(at(2)) && right.contains(at(2)));
    }
}
