use chrono::{DateTime, Utc};

use crate::TimeRange;

/// The time already fetched for a series, even where no bar traded: ordered ranges that neither overlap nor touch.
///
/// A quiet minute has no bar and is no gap. That difference is why coverage is kept apart from the bars.
///
/// ```
/// use barkeep_types::{Coverage, TimeRange};
///
/// let hour = |hour: u32| format!("2024-03-08T{hour:02}:00:00Z").parse().unwrap();
/// let range = |start, end| TimeRange::new(hour(start), hour(end)).unwrap();
///
/// let coverage: Coverage = [range(14, 15), range(16, 17), range(15, 16)].into_iter().collect();
/// assert_eq!(coverage.ranges(), [range(14, 17)]);
/// assert_eq!(coverage.gaps_in(range(12, 20)).collect::<Vec<_>>(), [range(12, 14), range(17, 20)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Coverage {
    // Invariant: sorted, and each range ends before the next one starts.
    ranges: Vec<TimeRange>,
}

impl Coverage {
    /// The ranges, earliest first.
    pub fn ranges(&self) -> &[TimeRange] {
        &self.ranges
    }

    /// Whether nothing is covered.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `instant` is covered.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        let next = self.ranges.partition_point(|range| range.start() <= instant);
        next > 0 && self.ranges[next - 1].contains(instant)
    }

    /// Whether all of `range` is covered.
    pub fn covers(&self, range: &TimeRange) -> bool {
        self.gaps_in(*range).next().is_none()
    }

    /// Adds a range, joining what it overlaps or touches.
    pub fn insert(&mut self, range: TimeRange) {
        let first = self.ranges.partition_point(|covered| covered.end() < range.start());
        let after = self.ranges.partition_point(|covered| covered.start() <= range.end());
        let joined = match self.ranges.get(first..after) {
            Some([]) | None => range,
            Some([only]) => hull(only, &range),
            Some([head, .., tail]) => hull(&hull(head, tail), &range),
        };
        self.ranges.splice(first..after.max(first), [joined]);
    }

    /// Takes a range out.
    pub fn remove(&mut self, range: TimeRange) {
        let first = self.ranges.partition_point(|covered| covered.end() <= range.start());
        let after = self.ranges.partition_point(|covered| covered.start() < range.end()).max(first);
        let left = self.ranges.get(first).filter(|_| first < after).and_then(|head| head.before(range.start()));
        let right = self.ranges[first..after].last().and_then(|tail| tail.from(range.end()));
        self.ranges.splice(first..after, left.into_iter().chain(right));
    }

    /// The parts of `range` that are not covered, earliest first.
    pub fn gaps_in(&self, range: TimeRange) -> impl Iterator<Item = TimeRange> {
        let first = self.ranges.partition_point(|covered| covered.end() <= range.start());
        let within = self.ranges[first..].iter().take_while(move |covered| covered.start() < range.end());
        let ends = within.clone().map(TimeRange::start).chain([range.end()]);
        let starts = [range.start()].into_iter().chain(within.map(TimeRange::end));
        starts.zip(ends).filter_map(|(start, end)| TimeRange::new(start, end).ok())
    }
}

fn hull(left: &TimeRange, right: &TimeRange) -> TimeRange {
    TimeRange::new(left.start().min(right.start()), left.end().max(right.end()))
        .expect("the hull of two ranges is as long as either")
}

/// Joins ranges in any order, overlapping or not.
impl FromIterator<TimeRange> for Coverage {
    fn from_iter<I: IntoIterator<Item = TimeRange>>(ranges: I) -> Self {
        let mut sorted: Vec<TimeRange> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut ranges: Vec<TimeRange> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match ranges.last_mut() {
                Some(last) if range.start() <= last.end() => *last = hull(last, &range),
                _ => ranges.push(range),
            }
        }
        Self { ranges }
    }
}

impl Extend<TimeRange> for Coverage {
    fn extend<I: IntoIterator<Item = TimeRange>>(&mut self, ranges: I) {
        *self = self.ranges.drain(..).chain(ranges).collect();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(at(start), at(end)).unwrap()
    }

    fn ranges() -> impl Strategy<Value = Vec<TimeRange>> {
        prop::collection::vec((0..60_i64, 1..12_i64).prop_map(|(start, length)| range(start, start + length)), 0..12)
    }

    fn is_normal(coverage: &Coverage) -> bool {
        coverage.ranges.windows(2).all(|pair| pair[0].end() < pair[1].start())
    }

    proptest! {
        #[test]
        fn coverage_agrees_with_a_set_of_seconds(added in ranges(), removed in ranges(), asked in (0..60_i64, 1..30_i64)) {
            let mut coverage = Coverage::default();
            let mut seconds = std::collections::BTreeSet::new();
            for range in &added {
                coverage.insert(*range);
                seconds.extend(range.start().timestamp()..range.end().timestamp());
            }
            prop_assert_eq!(&coverage, &added.iter().copied().collect::<Coverage>());
            for range in &removed {
                coverage.remove(*range);
                seconds.retain(|second| !range.contains(at(*second)));
            }
            prop_assert!(is_normal(&coverage), "{:?}", coverage);
            for second in 0..80 {
                prop_assert_eq!(coverage.contains(at(second)), seconds.contains(&second));
            }
            let asked = range(asked.0, asked.0 + asked.1);
            let missing = (asked.start().timestamp()..asked.end().timestamp()).filter(|second| !seconds.contains(second));
            let gaps: Vec<_> = coverage.gaps_in(asked).collect();
            let in_gaps = gaps.iter().flat_map(|gap| gap.start().timestamp()..gap.end().timestamp());
            prop_assert_eq!(missing.collect::<Vec<_>>(), in_gaps.collect::<Vec<_>>());
            prop_assert_eq!(coverage.covers(&asked), gaps.is_empty());
        }
    }

    #[test]
    fn what_touches_is_joined() {
        let mut coverage: Coverage = [range(0, 2), range(4, 6)].into_iter().collect();
        coverage.insert(range(2, 4));
        assert_eq!(coverage.ranges(), [range(0, 6)]);
    }
}
