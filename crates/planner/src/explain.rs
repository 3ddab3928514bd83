use barkeep_types::{Grid, TimeRange};
use chrono::{DateTime, Utc};

use crate::locate::{locate, settled_slots};
use crate::{SeriesState, Slots, gaps};

/// A run of a series' bars and why it is, or is not, asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// From the first bar's start to the last bar's end, closed time between them included.
    pub range: TimeRange,
    /// The bars that may exist in it.
    pub bars: u32,
    /// Why.
    pub reason: Reason,
}

/// Why bars are, or are not, asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody has fetched them: they are a gap.
    Missing,
    /// They were fetched, whether trades made bars or not.
    Covered,
    /// A slice that is queued or running will bring them.
    Live,
    /// They have not ended, or may still change.
    Unsettled,
}

/// Says of every bar that may exist why it is missing or not, in runs, earliest first.
///
/// Unsettled wins over covered, which wins over live: what may still change is never final.
pub fn explain(grid: &Grid, settled_until: DateTime<Utc>, state: &SeriesState<'_>) -> Vec<Explanation> {
    let (mut covered, mut live) = (Vec::new(), Vec::new());
    locate(grid, [state.covered].into_iter(), &mut covered);
    locate(grid, [state.live].into_iter(), &mut live);
    let end = settled_slots(grid, settled_until);
    let without = |left: &[Slots], right: &[Slots]| {
        let mut rest = Vec::new();
        gaps(0..end, left, right, &mut rest);
        rest
    };
    let missing = without(&covered, &live);
    let live = without(&covered, &missing);
    let covered = without(&missing, &live);
    let lists = [(missing, Reason::Missing), (covered, Reason::Covered), (live, Reason::Live)];
    let mut runs: Vec<(Slots, Reason)> =
        lists.into_iter().flat_map(|(slots, reason)| slots.into_iter().map(move |run| (run, reason))).collect();
    runs.sort_by_key(|(slots, _)| slots.start);
    runs.push((end..grid.bars(), Reason::Unsettled));
    runs.into_iter().filter_map(|(slots, reason)| Explanation::of(grid, &slots, reason)).collect()
}

impl Explanation {
    /// `None` of no slots.
    fn of(grid: &Grid, slots: &Slots, reason: Reason) -> Option<Self> {
        let last = slots.clone().next_back()?;
        let range = TimeRange::new(grid.bar(slots.start)?.start(), grid.bar(last)?.end()).ok()?;
        Some(Self { range, bars: slots.end - slots.start, reason })
    }
}
