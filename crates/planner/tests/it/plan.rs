//! What holds of every plan.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use barkeep_planner::{PageModel, Plan, Planner, SeriesState, Slice};
use barkeep_types::{Grid, Symbol, TimeRange};
use proptest::prelude::*;

use crate::universe::{Universe, at, grid_of, settled_anywhere, states, universe};

/// What is so of one slot of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    covered: bool,
    live: bool,
    asked: u32,
}

fn planners() -> impl Strategy<Value = Planner> {
    let pages = (1..400_u32, prop::option::of(1..2_000_u32), 1..8_u32, 8..40_u32)
        .prop_map(|(bars, source_bars, symbols, url_bytes)| PageModel { bars, source_bars, symbols, url_bytes });
    (pages, 1..12_u32, 1..6_u32).prop_map(|(pages, longest, workers)| {
        let number = |number| NonZeroU32::new(number).unwrap();
        Planner::new(pages).with_longest_slice(number(longest)).with_workers(number(workers))
    })
}

/// Every slot of every symbol before the settled horizon.
fn slots(universe: &Universe, grid: &Grid, settled: i64) -> BTreeMap<(Symbol, u32), Slot> {
    let mut slots: BTreeMap<(Symbol, u32), Slot> = BTreeMap::new();
    for row in &universe.rows {
        for slot in (0..grid.bars()).filter(|slot| grid.bar(*slot).unwrap().end() <= at(settled)) {
            let starts_in =
                |ranges: &[TimeRange]| ranges.iter().any(|range| range.contains(grid.bar(slot).unwrap().start()));
            let entry = slots.entry((row.symbol.clone(), slot)).or_default();
            entry.covered |= starts_in(&row.covered);
            entry.live |= starts_in(&row.live);
        }
    }
    slots
}

fn check_slice(slice: &Slice, grid: &Grid, pages: &PageModel, longest: u32) -> Result<(), TestCaseError> {
    prop_assert!(!slice.symbols.is_empty() && slice.symbols.is_sorted() && slice.requests >= 1);
    prop_assert!(slice.symbols.windows(2).all(|pair| pair[0] != pair[1]));
    prop_assert!(slice.symbols.len() <= pages.symbols as usize);
    let bytes: u32 = slice.symbols.iter().map(PageModel::url_bytes_of).sum();
    prop_assert!(bytes <= pages.url_bytes || slice.symbols.len() == 1);
    let slots = grid.slots_in(slice.range);
    let is_one_span = grid.span_of(slots.start) == grid.span_of(slots.end - 1);
    prop_assert!(
        slice.requests <= longest.into() || (slice.symbols.len() == 1 && is_one_span),
        "{:?} is longer than {} pages",
        slice,
        longest
    );
    Ok(())
}

fn check(
    universe: &Universe,
    planner: &Planner,
    pages: &PageModel,
    longest: u32,
    settled: i64,
) -> Result<Plan, TestCaseError> {
    let grid = grid_of(universe);
    let plan = planner.plan(&grid, at(settled), &states(universe));
    let mut slots = slots(universe, &grid, settled);
    let missing = slots.values().filter(|slot| !slot.covered && !slot.live).count() as u64;
    for slice in &plan.slices {
        check_slice(slice, &grid, pages, longest)?;
        for slot in grid.slots_in(slice.range) {
            for symbol in &slice.symbols {
                let found = slots.get_mut(&(symbol.clone(), slot));
                prop_assert!(found.is_some(), "{} at {} is not settled", symbol, slot);
                found.unwrap().asked += 1;
            }
        }
    }
    for ((symbol, slot), found) in &slots {
        let expected = match (found.covered, found.live) {
            (_, true) => 0..=0,
            (true, false) => 0..=1,
            (false, false) => 1..=1,
        };
        prop_assert!(expected.contains(&found.asked), "{} at {}: {:?}", symbol, slot, found);
    }
    let asked: u64 = slots.values().map(|slot| u64::from(slot.asked)).sum();
    prop_assert_eq!(plan.estimate.missing_slots, missing);
    prop_assert_eq!(plan.estimate.refetched_slots, asked - missing);
    prop_assert_eq!(plan.estimate.requests, plan.slices.iter().map(|slice| slice.requests).sum::<u64>());
    prop_assert!(plan.estimate.least_requests <= plan.estimate.requests, "{:?}", plan.estimate);
    Ok(plan)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn slices_tile_the_gaps_within_every_limit(
        universe in universe(),
        pages in (1..400_u32, prop::option::of(1..2_000_u32), 1..8_u32, 8..40_u32),
        longest in 1..12_u32,
        workers in 1..6_u32,
        settled in settled_anywhere(),
    ) {
        let (bars, source_bars, symbols, url_bytes) = pages;
        let pages = PageModel { bars, source_bars, symbols, url_bytes };
        let number = |number| NonZeroU32::new(number).unwrap();
        let planner = Planner::new(pages).with_longest_slice(number(longest)).with_workers(number(workers));
        check(&universe, &planner, &pages, longest, settled)?;
    }

    #[test]
    fn the_order_of_the_series_does_not_matter(universe in universe(), planner in planners(), turn in 0..24_usize) {
        let mut states = states(&universe);
        states.dedup_by_key(|state| state.symbol);
        let grid = grid_of(&universe);
        let plan = planner.plan(&grid, at(1 << 20), &states);
        // A symbol given twice may be given two densities, of which the first counts.
        for state in &mut states {
            state.density = None;
        }
        let plain = planner.plan(&grid, at(1 << 20), &states);
        let turn = turn % states.len().max(1);
        states.rotate_left(turn);
        prop_assert_eq!(planner.plan(&grid, at(1 << 20), &states), plain);
        prop_assert!(plan.estimate.missing_slots > 0 || plan.slices.is_empty());
    }

    #[test]
    fn what_is_live_is_not_planned_again(universe in universe(), planner in planners(), settled in settled_anywhere()) {
        let grid = grid_of(&universe);
        let mut next = universe.clone();
        for slice in planner.plan(&grid, at(settled), &states(&universe)).slices {
            for row in next.rows.iter_mut().filter(|row| slice.symbols.contains(&row.symbol)) {
                row.live.push(slice.range);
            }
        }
        let plan = planner.plan(&grid, at(settled), &states(&next));
        prop_assert_eq!(plan.slices, []);
        prop_assert_eq!(plan.estimate.missing_slots, 0);
    }

    /// Pages come by symbol and then by time, so that what was committed of a slice is: some symbols wholly, the next
    /// one up to some bar.
    #[test]
    fn a_slice_cut_off_after_any_page_leaves_the_rest_to_be_planned(
        universe in universe(),
        planner in planners(),
        pick in any::<prop::sample::Index>(),
        done in any::<prop::sample::Index>(),
        bars in any::<prop::sample::Index>(),
    ) {
        let grid = grid_of(&universe);
        let plan = planner.plan(&grid, at(1 << 20), &states(&universe));
        prop_assume!(!plan.slices.is_empty());
        let slice = pick.get(&plan.slices);
        let last = done.index(slice.symbols.len());
        let slots = grid.slots_in(slice.range);
        let up_to = grid.bar(slots.start + bars.index(slots.len()) as u32).unwrap().end();
        let mut next = universe.clone();
        for row in &mut next.rows {
            match slice.symbols.binary_search(&row.symbol) {
                Ok(found) if found < last => row.covered.push(slice.range),
                Ok(found) if found == last => row.covered.extend(slice.range.before(up_to)),
                _ => {}
            }
        }
        let again = planner.plan(&grid, at(1 << 20), &states(&next));
        let missing = |universe: &Universe| slots_missing(universe, &grid);
        prop_assert_eq!(again.estimate.missing_slots, missing(&next));
        prop_assert!(missing(&next) < missing(&universe) || plan.estimate.refetched_slots > 0);
        let all: Vec<SeriesState<'_>> = states(&next);
        prop_assert_eq!(planner.plan(&grid, at(1 << 20), &all), again);
    }
}

/// Whether no series of this symbol holds the slot, which has settled.
fn is_missing(universe: &Universe, grid: &Grid, settled: i64, symbol: &Symbol, slot: u32) -> bool {
    let Some(bar) = grid.bar(slot).filter(|bar| bar.end() <= at(settled)) else { return false };
    let rows = universe.rows.iter().filter(|row| row.symbol == *symbol);
    !rows.flat_map(|row| row.covered.iter().chain(&row.live)).any(|range| range.contains(bar.start()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// A slice's end is a session's (a span of the grid), or all its symbols lack nothing beyond in that session: it was
    /// covered in part, is live in part, or has not settled. What is missing on both sides of a cut was cut between
    /// sessions.
    #[test]
    fn cuts_at_session_ends_only(universe in universe(), planner in planners(), settled in settled_anywhere()) {
        let grid = grid_of(&universe);
        let is_missing = |symbol: &Symbol, slot: u32| is_missing(&universe, &grid, settled, symbol, slot);
        for slice in planner.plan(&grid, at(settled), &states(&universe)).slices {
            let within = grid.slots_in(slice.range);
            let (first, last) = (grid.bar(within.start).unwrap(), grid.bar(within.end - 1).unwrap());
            prop_assert_eq!((first.start(), last.end()), (slice.range.start(), slice.range.end()), "a bar is cut");
            if !grid.spans().iter().any(|session| session.start() == first.start()) {
                prop_assert!(slice.symbols.iter().any(|symbol| is_missing(symbol, within.start)), "{:?}", slice);
                prop_assert!(!slice.symbols.iter().any(|symbol| is_missing(symbol, within.start - 1)), "{:?}", slice);
            }
            if !grid.spans().iter().any(|session| session.end() == last.end()) {
                prop_assert!(slice.symbols.iter().any(|symbol| is_missing(symbol, within.end - 1)), "{:?}", slice);
                prop_assert!(!slice.symbols.iter().any(|symbol| is_missing(symbol, within.end)), "{:?}", slice);
            }
        }
    }
}

fn slots_missing(universe: &Universe, grid: &Grid) -> u64 {
    slots(universe, grid, 1 << 20).values().filter(|slot| !slot.covered && !slot.live).count() as u64
}
