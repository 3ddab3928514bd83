//! Input that no plan can be good for has a stated answer, and no panic.

use std::num::NonZeroU32;
use std::time::Duration;

use barkeep_planner::{Density, PageModel, Planner, SeriesState, gaps};
use barkeep_types::{Grid, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

use crate::universe::{at, range};

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn state(symbol: &Symbol) -> SeriesState<'_> {
    SeriesState { symbol, covered: &[], live: &[], density: None }
}

fn sessions(days: i64) -> Vec<TimeRange> {
    (0..days).map(|day| range(day * 1440 + 600, day * 1440 + 1020)).collect()
}

#[test]
fn nothing_to_plan_is_an_empty_plan() {
    let planner = Planner::new(PageModel::default());
    let symbol = symbol("A");
    let empty = Grid::new(Timeframe::H1, Vec::new());
    assert_eq!(planner.plan(&empty, at(0), &[state(&symbol)]), Default::default());
    let grid = Grid::new(Timeframe::H1, sessions(3));
    assert_eq!(planner.plan(&grid, at(1 << 20), &[]), Default::default());
    // Nothing had ended before the first bar did.
    assert_eq!(planner.plan(&grid, at(659), &[state(&symbol)]), Default::default());
    assert_eq!(planner.plan(&grid, DateTime::<Utc>::MIN_UTC, &[state(&symbol)]), Default::default());
    assert_eq!(planner.plan(&grid, at(660), &[state(&symbol)]).slices[0].range, range(600, 660));
}

#[test]
fn an_inverted_window_and_inverted_runs_hold_nothing() {
    let mut found = Vec::new();
    #[expect(clippy::reversed_empty_ranges, reason = "that is the case")]
    gaps(5..2, &[7..1], &[], &mut found);
    assert_eq!(found, []);
}

#[test]
fn coverage_outside_of_the_window_changes_nothing() {
    let symbol = symbol("A");
    let planner = Planner::new(PageModel::default());
    let grid = Grid::new(Timeframe::H1, sessions(3));
    let outside = [range(-9_000, 600), range(1020, 2040), range(2 * 1440 + 1020, 90_000)];
    let covered = SeriesState { covered: &outside, live: &outside, ..state(&symbol) };
    let settled = DateTime::<Utc>::MAX_UTC;
    assert_eq!(planner.plan(&grid, settled, &[covered]), planner.plan(&grid, settled, &[state(&symbol)]));
}

#[test]
fn a_timeframe_that_does_not_divide_a_session_keeps_its_last_bar() {
    let symbol = symbol("A");
    let grid = Grid::new(Timeframe::H4, sessions(2));
    assert_eq!(grid.bars(), 4);
    let plan = Planner::new(PageModel::default()).plan(&grid, at(1 << 20), &[state(&symbol)]);
    assert_eq!(plan.slices.iter().map(|slice| slice.range).collect::<Vec<_>>(), [range(600, 1440 + 1020)]);
    assert_eq!(plan.estimate.missing_slots, 4);
}

#[test]
fn one_symbol_whose_gap_needs_ten_thousand_pages_is_cut_at_session_ends() {
    let symbol = symbol("A");
    let days: Vec<TimeRange> = (0..11_574).map(|day| range(day * 1440, (day + 1) * 1440)).collect();
    let grid = Grid::new(Timeframe::M1, days);
    let pages = PageModel { bars: 1_440, ..PageModel::default() };
    let plan = Planner::new(pages).plan(&grid, at(1 << 26), &[state(&symbol)]);
    assert_eq!((plan.estimate.requests, plan.estimate.least_requests), (11_574, 11_574));
    assert!(plan.slices.iter().all(|slice| slice.requests <= 10 && slice.symbols == [symbol.clone()]));
    let ends: Vec<_> = plan.slices.windows(2).map(|pair| (pair[0].range.end(), pair[1].range.start())).collect();
    assert!(ends.iter().all(|(end, start)| end == start && grid.slot(*start).is_some()));
}

#[test]
fn a_span_longer_than_a_slice_may_be_is_one_slice() {
    let symbol = symbol("A");
    let grid = Grid::new(Timeframe::M1, vec![range(0, 500_000)]);
    let plan = Planner::new(PageModel::default()).plan(&grid, at(1 << 20), &[state(&symbol)]);
    assert_eq!(
        plan.slices.iter().map(|slice| (slice.range, slice.requests)).collect::<Vec<_>>(),
        [(range(0, 500_000), 50)]
    );
}

#[test]
fn a_hundred_thousand_symbols_are_a_plan_like_any_other() {
    let symbols: Vec<Symbol> = (0..100_000).map(|number| symbol(&format!("S{number}"))).collect();
    let states: Vec<_> = symbols.iter().map(state).collect();
    let grid = Grid::new(Timeframe::D1, sessions(10));
    let plan = Planner::new(PageModel::default()).plan(&grid, at(1 << 20), &states);
    assert_eq!(plan.estimate.series, 100_000);
    assert_eq!(plan.slices.iter().map(|slice| slice.symbols.len()).sum::<usize>(), 100_000);
    assert_eq!((plan.estimate.requests, plan.estimate.least_requests), (500, 500));
}

#[test]
fn limits_of_zero_count_as_one_and_limits_without_end_do_not_overflow() {
    let symbols = ["A", "B", "C"].map(symbol);
    let states: Vec<_> = symbols.iter().map(state).collect();
    let grid = Grid::new(Timeframe::H1, sessions(3));
    let nothing = PageModel { bars: 0, source_bars: Some(0), symbols: 0, url_bytes: 0 };
    let plan = Planner::new(nothing).plan(&grid, at(1 << 20), &states);
    assert!(plan.slices.iter().all(|slice| slice.symbols.len() == 1));
    assert_eq!(plan.estimate.missing_slots, 3 * 3 * 7);

    let most = u32::MAX;
    let everything = PageModel { bars: most, source_bars: Some(most), symbols: most, url_bytes: most };
    let most = NonZeroU32::MAX;
    let planner = Planner::new(everything).with_longest_slice(most).with_workers(most).with_request_limit(most);
    let plan = planner.plan(&grid, at(1 << 20), &states);
    assert_eq!((plan.slices.len(), plan.estimate.requests), (1, 1));
    assert!(plan.estimate.duration < Duration::from_secs(1));
}

#[test]
fn densities_that_cannot_be_count_as_full() {
    let symbol = symbol("A");
    let grid = Grid::new(Timeframe::H1, sessions(3));
    let planner = Planner::new(PageModel::default());
    let plan = |density| planner.plan(&grid, at(1 << 20), &[SeriesState { density, ..state(&symbol) }]);
    for bars in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        assert_eq!(plan(Some(Density { bars, source_bars: bars })), plan(None), "{bars}");
    }
    assert_eq!(plan(Some(Density { bars: 0.0, source_bars: 0.0 })).estimate.requests, 1);
}

#[test]
fn the_ends_of_time_are_planned_like_any_other() {
    let symbol = symbol("A");
    let all = TimeRange::new(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).unwrap();
    for timeframe in Timeframe::ALL {
        let last_hour = TimeRange::new(all.end() - TimeDelta::hours(1), all.end()).unwrap();
        let grid = Grid::new(timeframe, vec![last_hour, range(0, 60), all.before(at(-60)).unwrap()]);
        let planner = Planner::new(PageModel::default()).with_served([all]);
        let state = SeriesState { covered: &[all], ..state(&symbol) };
        assert_eq!(planner.plan(&grid, all.end(), &[state]).slices, []);
        let plan = planner.plan(&grid, all.end(), &[SeriesState { covered: &[], ..state }]);
        assert!(plan.estimate.missing_slots > 0);
    }
}
