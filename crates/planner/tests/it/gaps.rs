//! Gaps against an oracle that looks at every slot.

use barkeep_planner::{Reason, SeriesSlots, SeriesState, Slots, explain, gaps, gaps_of_each};
use proptest::prelude::*;

use crate::universe::{at, grid_of, settled_anywhere, universe};

/// Runs in any order: overlapping, empty, inverted, beyond the window.
fn runs() -> impl Strategy<Value = Vec<Slots>> {
    prop::collection::vec(
        (0..120_u32, 0..40_u32).prop_map(|(start, end)| start..start.saturating_add(end) - 3.min(start + end)),
        0..20,
    )
}

/// The slots of the window that no run holds, found one by one and joined.
fn by_looking(window: &Slots, lists: [&[Slots]; 2]) -> Vec<Slots> {
    let is_held = |slot| lists.into_iter().flatten().any(|run| run.contains(&slot));
    let mut found: Vec<Slots> = Vec::new();
    for slot in window.clone().filter(|slot| !is_held(*slot)) {
        match found.last_mut() {
            Some(last) if last.end == slot => last.end = slot + 1,
            _ => found.push(slot..slot + 1),
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn gaps_are_the_slots_that_neither_list_holds(
        window in (0..100_u32, 0..100_u32),
        mut covered in runs(),
        live in runs(),
        is_sorted in any::<bool>(),
    ) {
        let window = window.0..window.1;
        if is_sorted {
            covered.sort_by_key(|run| run.start);
        }
        let mut found = vec![7..9];
        gaps(window.clone(), &covered, &live, &mut found);
        prop_assert_eq!(found, by_looking(&window, [&covered, &live]));
    }

    #[test]
    fn gaps_of_each_are_the_gaps_of_one_after_another(
        window in (0..100_u32, 0..100_u32),
        universes in prop::collection::vec(prop::collection::vec(prop_oneof![Just(Vec::new()), runs()], 0..8), 2),
    ) {
        let window = window.0..window.1;
        // What an earlier universe left in the buffer must not be seen.
        let mut found = SeriesSlots::default();
        for universe in universes {
            let mut held = SeriesSlots::default();
            universe.iter().for_each(|runs| held.push(runs.clone()));
            gaps_of_each(window.clone(), &held, &mut found);
            prop_assert_eq!(found.len(), universe.len());
            let expected: Vec<_> = universe.iter().map(|runs| by_looking(&window, [runs, &[]])).collect();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
            prop_assert_eq!(found.slots(), expected.iter().map(Vec::len).sum::<usize>());
            found.push([1..2]);
            prop_assert_eq!(found.iter().last(), Some(&[1..2][..]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_bar_has_one_reason_and_it_is_the_right_one(
        universe in universe(),
        settled in settled_anywhere(),
    ) {
        let grid = grid_of(&universe);
        let settled = at(settled);
        for row in &universe.rows {
            let state = SeriesState { symbol: &row.symbol, covered: &row.covered, live: &row.live, density: None };
            let runs = explain(&grid, settled, &state);
            prop_assert!(runs.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()));
            prop_assert_eq!(runs.iter().map(|run| run.bars).sum::<u32>(), grid.bars());
            for slot in 0..grid.bars() {
                let bar = grid.bar(slot).unwrap();
                let starts_in = |ranges: &[barkeep_types::TimeRange]| ranges.iter().any(|range| range.contains(bar.start()));
                let expected = if bar.end() > settled {
                    Reason::Unsettled
                } else if starts_in(&row.covered) {
                    Reason::Covered
                } else if starts_in(&row.live) {
                    Reason::Live
                } else {
                    Reason::Missing
                };
                let run = runs.iter().find(|run| run.range.contains(bar.start())).unwrap();
                prop_assert_eq!(run.reason, expected, "{}", bar);
            }
        }
    }
}
