//! Bars that are put together from stored ones: which of them can be.

use std::collections::BTreeMap;

use barkeep_catalog::Definition;
use barkeep_planner::{Slots, gaps};
use barkeep_types::{Coverage, Grid, Symbol, TimeRange};

use crate::clock::Moment;
use crate::freshness::{final_until, held};
use crate::plan::{Group, Member, series_of};
use crate::{Orchestrator, Result, SliceJob};

/// About how many source bars one job reads.
const SOURCE_BARS: u64 = 1_000_000;

/// The slices of a group's bars that lack and whose source is there, all of it.
pub(crate) async fn buildable(
    orchestrator: &Orchestrator,
    definition: &Definition,
    group: &Group,
    moment: Moment,
) -> Result<Vec<SliceJob>> {
    let grid = &group.grid;
    let Some(source) = definition.derive_from else { return Ok(Vec::new()) };
    let Some(window) = grid.bar(0).zip(grid.bar(grid.bars().saturating_sub(1))) else { return Ok(Vec::new()) };
    let Ok(window) = TimeRange::new(window.0.start(), window.1.end()) else { return Ok(Vec::new()) };
    let calendar = orchestrator.calendar_for(definition.hours);
    let final_until = final_until(calendar, source, moment.market, orchestrator.settings().settle);
    let sources: Vec<_> =
        group.members.iter().map(|member| series_of(definition, source, &member.series.symbol)).collect();
    let coverage = orchestrator.backend().store.coverage(&sources, window).await?;
    let settled = settled(group);
    let mut by_run: BTreeMap<(u32, u32), Vec<Symbol>> = BTreeMap::new();
    for (member, spans) in group.members.iter().zip(&coverage) {
        let there = whole_bars(grid, &held(spans, final_until));
        for run in runs(grid, settled, member, &there) {
            by_run.entry((run.start, run.end)).or_default().push(member.series.symbol.clone());
        }
    }
    let step = u64::from(grid.timeframe().minutes().zip(source.minutes()).map_or(1, |(whole, part)| whole / part));
    let slices = by_run.into_iter().flat_map(|((start, end), symbols)| {
        let a_symbol = u64::from(end - start) * step;
        let at_once = usize::try_from(SOURCE_BARS / a_symbol.max(1)).unwrap_or(usize::MAX).max(1);
        let range = grid.bar(start).zip(grid.bar(end - 1)).and_then(|(a, b)| TimeRange::new(a.start(), b.end()).ok());
        let parts: Vec<Vec<Symbol>> = symbols.chunks(at_once).map(<[Symbol]>::to_vec).collect();
        range.into_iter().flat_map(move |range| parts.clone().into_iter().map(move |symbols| (range, symbols)))
    });
    let slice = |(range, symbols)| SliceJob::built(definition, (grid.timeframe(), source), range, symbols);
    Ok(slices.map(slice).collect())
}

/// How many of the grid's bars have ended and are given out.
fn settled(group: &Group) -> u32 {
    let first_open = group.grid.first_slot_from(group.settled_until);
    // The bar before may be running still.
    let last = first_open.checked_sub(1).and_then(|slot| group.grid.bar(slot));
    if last.is_some_and(|bar| bar.end() > group.settled_until) { first_open - 1 } else { first_open }
}

/// The runs of a series' bars that lack, and can be built.
fn runs(grid: &Grid, settled: u32, member: &Member, there: &[Slots]) -> Vec<Slots> {
    let unwanted =
        member.held.iter().chain(&member.out_of_reach()).map(|range| grid.slots_in(*range)).collect::<Vec<_>>();
    let (mut not_there, mut runs) = (Vec::new(), Vec::new());
    gaps(0..settled, there, &[], &mut not_there);
    gaps(0..settled, &unwanted, &not_there, &mut runs);
    runs
}

/// The bars that lie wholly in covered time.
fn whole_bars(grid: &Grid, covered: &Coverage) -> Vec<Slots> {
    let whole = covered.ranges().iter().map(|range| {
        let slots = grid.slots_in(*range);
        let is_whole = |slot: u32| grid.bar(slot).is_some_and(|bar| bar.end() <= range.end());
        match slots.end.checked_sub(1) {
            Some(last) if last >= slots.start && !is_whole(last) => slots.start..last,
            _ => slots,
        }
    });
    joined(whole)
}

/// Runs in order, neighbours joined, empty ones left out.
fn joined(runs: impl Iterator<Item = Slots>) -> Vec<Slots> {
    let mut joined: Vec<Slots> = Vec::new();
    for run in runs.filter(|run| !run.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end >= run.start => last.end = last.end.max(run.end),
            _ => joined.push(run),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use barkeep_types::Timeframe;
    use chrono::DateTime;

    use super::*;

    fn minutes(from: i64, to: i64) -> TimeRange {
        let at = |minute: i64| DateTime::from_timestamp(60 * minute, 0).unwrap();
        TimeRange::new(at(from), at(to)).unwrap()
    }

    #[test]
    fn only_bars_whose_time_is_wholly_covered_can_be_built() {
        let grid = Grid::new(Timeframe::M15, vec![minutes(0, 60), minutes(1440, 1500)]);
        let there =
            |ranges: &[(i64, i64)]| whole_bars(&grid, &ranges.iter().map(|(from, to)| minutes(*from, *to)).collect());
        assert_eq!(there(&[(0, 60)]), vec![0..4; 1]);
        assert_eq!(there(&[(0, 29), (31, 60)]), [0..1, 3..4]);
        assert_eq!(there(&[(14, 29)]), [] as [Slots; 0]);
        assert_eq!(there(&[(0, 60), (1440, 1500)]), vec![0..8; 1], "closed time parts nothing");
        assert_eq!(there(&[]), [] as [Slots; 0]);
    }
}
