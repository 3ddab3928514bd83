//! The instants that matter to a store: whole seconds from 1970 to 2100, at which alone a bar can start.

use barkeep_types::TimeRange;
use chrono::{DateTime, Utc};

/// 2100-01-01T00:00:00Z.
const LIMIT: i64 = 4_102_444_800;

/// The range that holds the same whole seconds, so that what is stored reads back as it was written. `None` if no bar
/// can start within it.
pub(crate) fn whole_seconds(range: TimeRange) -> Option<TimeRange> {
    TimeRange::new(at(ceiling(range.start()))?, at(ceiling(range.end()))?).ok()
}

/// The first whole second from `instant` on at which a bar can start, or the end of reach; `None` if every bar is later.
pub(crate) fn from_whole_second(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    at(ceiling(instant)).filter(|since| since.timestamp() > 0)
}

/// The first whole second that is not before `instant`.
fn ceiling(instant: DateTime<Utc>) -> i64 {
    let seconds = instant.timestamp() + i64::from(instant.timestamp_subsec_nanos() > 0);
    seconds.clamp(0, LIMIT)
}

fn at(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(start: i64, end: i64) -> TimeRange {
        TimeRange::new(DateTime::from_timestamp_nanos(start), DateTime::from_timestamp_nanos(end)).unwrap()
    }

    #[test]
    fn a_range_keeps_the_whole_seconds_it_holds() {
        const SECOND: i64 = 1_000_000_000;
        let whole = |start, end| whole_seconds(nanos(start, end));
        assert_eq!(whole(SECOND, 3 * SECOND), Some(nanos(SECOND, 3 * SECOND)));
        assert_eq!(whole(SECOND - 1, 2 * SECOND + 1), Some(nanos(SECOND, 3 * SECOND)));
        assert_eq!(whole(SECOND + 1, 2 * SECOND), None);
        assert_eq!(whole(-5 * SECOND, 2 * SECOND), Some(nanos(0, 2 * SECOND)));
    }

    #[test]
    fn ranges_out_of_reach_hold_nothing() {
        let far = TimeRange::new(at(LIMIT).unwrap(), DateTime::<Utc>::MAX_UTC).unwrap();
        assert_eq!(whole_seconds(far), None);
        let all = TimeRange::new(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).unwrap();
        assert_eq!(whole_seconds(all), TimeRange::new(at(0).unwrap(), at(LIMIT).unwrap()).ok());
    }
}
