use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{TimeRange, Timeframe};

/// The bars that may exist: spans of trading time, cut into bars of one timeframe and numbered from 0 in order.
///
/// A bar's number is its *slot*. Closed time has no slots, so that two ranges that meet over a weekend are neighbours.
///
/// ```
/// use barkeep_types::{Grid, TimeRange, Timeframe};
///
/// let session = |day: u32| {
///     let at = |hour: u32| format!("2024-03-{day:02}T{hour}:00:00Z").parse().unwrap();
///     TimeRange::new(at(14), at(21)).unwrap()
/// };
/// let (friday, monday) = (session(8), session(11));
/// let grid = Grid::new(Timeframe::H1, vec![friday, monday]);
/// assert_eq!(grid.bars(), 14);
/// assert_eq!(grid.slot(monday.start()), Some(7));
/// assert_eq!(grid.slot(friday.end()), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    timeframe: Timeframe,
    // Invariant: in order, none overlapping another.
    spans: Vec<TimeRange>,
    // Invariant: the slot of each span's first bar, and last the number of all bars.
    firsts: Vec<u32>,
}

impl Grid {
    /// Cuts spans into bars: of minutes and hours from each span's start on, of longer timeframes one bar a span.
    ///
    /// Spans may come in any order; where two overlap, the later one loses what they share. A span that the timeframe
    /// does not divide keeps its rest as a bar of its own. A grid holds at most `u32::MAX` bars (eight thousand years
    /// of minutes); spans beyond are left out.
    pub fn new(timeframe: Timeframe, mut spans: Vec<TimeRange>) -> Self {
        spans.sort_unstable();
        let mut end = DateTime::<Utc>::MIN_UTC;
        let mut bars = 0_u32;
        let mut firsts = Vec::with_capacity(spans.len() + 1);
        spans.retain_mut(|span| {
            let free = span.from(end);
            let count = free.and_then(|span| bars.checked_add(bars_of(timeframe, span)?));
            let (Some(free), Some(count)) = (free, count) else { return false };
            firsts.push(bars);
            (*span, end, bars) = (free, free.end(), count);
            true
        });
        firsts.push(bars);
        Self { timeframe, spans, firsts }
    }

    /// The timeframe of the bars.
    pub fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// The spans, in order and without overlap.
    pub fn spans(&self) -> &[TimeRange] {
        &self.spans
    }

    /// The number of bars.
    pub fn bars(&self) -> u32 {
        self.firsts[self.spans.len()]
    }

    /// The slots of the span of this index.
    ///
    /// # Panics
    ///
    /// If there is no such span.
    pub fn slots_of(&self, span: usize) -> Range<u32> {
        self.firsts[span]..self.firsts[span + 1]
    }

    /// The index of the span that a slot lies in.
    pub fn span_of(&self, slot: u32) -> Option<usize> {
        (slot < self.bars()).then(|| self.firsts.partition_point(|first| *first <= slot) - 1)
    }

    /// The slot of the bar that `instant` lies in; `None` in closed time.
    pub fn slot(&self, instant: DateTime<Utc>) -> Option<u32> {
        let span = self.spans.partition_point(|span| span.end() <= instant);
        let found = self.spans.get(span)?.contains(instant);
        // The bars that start before the next instant, less one.
        let tick = TimeDelta::nanoseconds(1);
        found.then(|| self.firsts[span] + self.bars_before(span, instant + tick) - 1)
    }

    /// The time of a slot's bar, which a span's end may cut short.
    pub fn bar(&self, slot: u32) -> Option<TimeRange> {
        let index = self.span_of(slot)?;
        let span = self.spans[index];
        let Some(length) = self.timeframe.length() else { return Some(span) };
        let bars_before = i64::from(slot - self.firsts[index]);
        let start = span.start() + TimeDelta::try_seconds(length.num_seconds() * bars_before)?;
        let end = start.checked_add_signed(length).map_or(span.end(), |end| end.min(span.end()));
        TimeRange::new(start, end).ok()
    }

    /// The slots of the bars that start within `range`.
    pub fn slots_in(&self, range: TimeRange) -> Range<u32> {
        let start = self.first_slot_from(range.start());
        start..self.first_slot_from(range.end()).max(start)
    }

    /// The slot of the first bar that does not start before `instant`; the number of bars if there is none.
    pub fn first_slot_from(&self, instant: DateTime<Utc>) -> u32 {
        let span = self.spans.partition_point(|span| span.end() <= instant);
        match self.spans.get(span) {
            Some(found) if found.contains(instant) => self.firsts[span] + self.bars_before(span, instant),
            _ => self.firsts[span],
        }
    }

    /// The bars of a span that start before `instant`, which lies in it.
    fn bars_before(&self, span: usize, instant: DateTime<Utc>) -> u32 {
        let before = TimeRange::new(self.spans[span].start(), instant).ok();
        before.and_then(|before| bars_of(self.timeframe, before)).unwrap_or(0)
    }
}

/// The bars that start in a span, the first at its start; `None` if they cannot be counted.
fn bars_of(timeframe: Timeframe, span: TimeRange) -> Option<u32> {
    let Some(length) = timeframe.length() else { return Some(1) };
    let whole = span.length().num_seconds() / length.num_seconds();
    let rest = span.length() - TimeDelta::try_seconds(whole * length.num_seconds())?;
    u32::try_from(whole).ok()?.checked_add(u32::from(!rest.is_zero()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(at(start), at(end)).unwrap()
    }

    fn ranges() -> impl Strategy<Value = Vec<TimeRange>> {
        let range = (0..600_i64, 1..90_i64).prop_map(|(start, length)| range(start, start + length));
        prop::collection::vec(range, 0..8)
    }

    proptest! {
        #[test]
        fn slots_agree_with_walking_along_the_spans(
            spans in ranges(),
            asked in ranges(),
            timeframe in prop::sample::select(Timeframe::ALL.to_vec()),
        ) {
            let grid = Grid::new(timeframe, spans);
            prop_assert!(grid.spans().windows(2).all(|pair| pair[0].end() <= pair[1].start()));
            let mut bars = Vec::new();
            for span in grid.spans() {
                let length = timeframe.length().unwrap_or(span.length());
                let mut start = span.start();
                while start < span.end() {
                    bars.push(TimeRange::new(start, (start + length).min(span.end())).unwrap());
                    start += length;
                }
            }
            prop_assert_eq!(grid.bars() as usize, bars.len());
            for (slot, bar) in (0..).zip(&bars) {
                prop_assert_eq!(grid.bar(slot), Some(*bar));
                prop_assert!(grid.slots_of(grid.span_of(slot).unwrap()).contains(&slot));
            }
            for minute in 0..700 {
                let instant = at(minute) + TimeDelta::seconds(7);
                let found = bars.iter().position(|bar| bar.contains(instant));
                prop_assert_eq!(grid.slot(instant), found.map(|slot| slot as u32));
            }
            for range in asked {
                let starts = bars.iter().enumerate().filter(|(_, bar)| range.contains(bar.start()));
                let slots: Vec<u32> = starts.map(|(slot, _)| slot as u32).collect();
                prop_assert_eq!(grid.slots_in(range).collect::<Vec<_>>(), slots);
            }
        }
    }

    #[test]
    fn an_empty_grid_has_no_bars() {
        let grid = Grid::new(Timeframe::M1, Vec::new());
        assert_eq!((grid.bars(), grid.slot(at(0)), grid.bar(0), grid.span_of(0)), (0, None, None, None));
        assert_eq!(grid.slots_in(range(0, 10)), 0..0);
    }

    #[test]
    fn what_overlaps_is_kept_once() {
        let grid = Grid::new(Timeframe::M1, vec![range(5, 15), range(0, 10), range(2, 4)]);
        assert_eq!(grid.spans(), [range(0, 10), range(10, 15)]);
    }

    #[test]
    fn spans_beyond_the_last_number_are_left_out() {
        let all_of_time = TimeRange::new(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).unwrap();
        assert_eq!(Grid::new(Timeframe::M1, vec![all_of_time]).bars(), 0);
        let days = Grid::new(Timeframe::D1, vec![all_of_time]);
        assert_eq!((days.bars(), days.bar(0)), (1, Some(all_of_time)));
        assert_eq!(days.slot(DateTime::<Utc>::MAX_UTC - TimeDelta::seconds(1)), Some(0));
    }
}
