use barkeep_types::{TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

/// What a vendor allows, and how its pages are cut: what planning and limiting need to know.
///
/// [`Limits::new`] allows everything; set what the vendor restricts.
///
/// ```
/// use barkeep_provider::Limits;
///
/// let limits = Limits { requests_a_minute: Some(200), ..Limits::new(10_000) };
/// assert_eq!(limits.symbols_a_request, usize::MAX);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bars that a page holds, over all its symbols.
    pub bars_a_page: u32,
    /// The most minutes of source bars that a page of a derived timeframe is made from, if the vendor cuts pages so.
    pub source_minutes_a_page: Option<u32>,
    /// The timeframes that the vendor stores; the others are derived from them on request, at the source's cost.
    pub native_timeframes: Vec<Timeframe>,
    /// The most symbols in one request.
    pub symbols_a_request: usize,
    /// The most bytes that the symbols of one request may take, with one byte between each two.
    pub symbol_bytes_a_request: usize,
    /// The most requests in any 60 seconds; `None` if the vendor has no such limit.
    pub requests_a_minute: Option<u32>,
    /// How old data must be before the vendor gives it.
    pub delay: TimeDelta,
    /// Where the vendor's history begins, if it is known.
    pub earliest: Option<DateTime<Utc>>,
}

/// The parts of a range that a vendor has, no longer has, and does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// What can be asked for.
    pub range: Option<TimeRange>,
    /// What lies before the vendor's history.
    pub too_early: Option<TimeRange>,
    /// What is too recent, or in the future.
    pub too_recent: Option<TimeRange>,
}

impl Limits {
    /// Pages of at most `bars_a_page` bars, every timeframe native, and no other limit.
    pub fn new(bars_a_page: u32) -> Self {
        Self {
            bars_a_page,
            source_minutes_a_page: None,
            native_timeframes: Timeframe::ALL.to_vec(),
            symbols_a_request: usize::MAX,
            symbol_bytes_a_request: usize::MAX,
            requests_a_minute: None,
            delay: TimeDelta::zero(),
            earliest: None,
        }
    }

    /// Splits `range` into what the vendor can give at `now` and what it cannot, on either side.
    pub fn available(&self, range: TimeRange, now: DateTime<Utc>) -> Available {
        let (earliest, latest) = (self.earliest.unwrap_or(range.start()), now - self.delay);
        Available {
            range: range.from(earliest).and_then(|range| range.before(latest)),
            too_early: range.before(earliest),
            too_recent: range.from(latest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn range(start: i64, end: i64) -> Option<TimeRange> {
        TimeRange::new(at(start), at(end)).ok()
    }

    #[test]
    fn a_range_is_trimmed_to_what_the_vendor_has() {
        let limits = Limits { delay: TimeDelta::minutes(15), earliest: Some(at(10)), ..Limits::new(1) };
        let available = |start, end| limits.available(range(start, end).unwrap(), at(100));
        for ((start, end), (too_early, within, too_recent)) in [
            ((0, 200), (range(0, 10), range(10, 85), range(85, 200))),
            ((20, 30), (None, range(20, 30), None)),
            ((0, 5), (range(0, 5), None, None)),
            ((90, 95), (None, None, range(90, 95))),
        ] {
            assert_eq!(available(start, end), Available { range: within, too_early, too_recent });
        }
    }
}
