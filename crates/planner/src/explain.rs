use barkeep_types::{Grid, TimeRange};
use chrono::{DateTime, Utc};

use crate::gaps::locate;
use crate::planner::settled_slots;
use crate::{SeriesState, Slots};

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
/// Covered wins over live, and unsettled over both: what may still change is never final.
pub fn explain(grid: &Grid, settled_until: DateTime<Utc>, state: &SeriesState<'_>) -> Vec<Explanation> {
    let settled = settled_slots(grid, settled_until);
    let (mut covered, mut live) = (Vec::new(), Vec::new());
    locate(grid, state.covered, &mut covered);
    locate(grid, state.live, &mut live);
    let mut cuts: Vec<u32> = [0, settled, grid.bars()].to_vec();
    cuts.extend(covered.iter().chain(&live).flat_map(|slots| [slots.start, slots.end]));
    cuts.sort_unstable();
    cuts.dedup();
    let within = |list: &[Slots], slot: u32| list.iter().any(|slots| slots.contains(&slot));
    let reason = |slot| {
        if slot >= settled {
            Reason::Unsettled
        } else if within(&covered, slot) {
            Reason::Covered
        } else if within(&live, slot) {
            Reason::Live
        } else {
            Reason::Missing
        }
    };
    let mut runs: Vec<(Slots, Reason)> = Vec::new();
    for pair in cuts.windows(2) {
        let reason = reason(pair[0]);
        match runs.last_mut() {
            Some((slots, last)) if *last == reason => slots.end = pair[1],
            _ => runs.push((pair[0]..pair[1], reason)),
        }
    }
    runs.into_iter()
        .filter_map(|(slots, reason)| {
            let range = TimeRange::new(grid.bar(slots.start)?.start(), grid.bar(slots.end - 1)?.end()).ok()?;
            Some(Explanation { range, bars: slots.end - slots.start, reason })
        })
        .collect()
}
