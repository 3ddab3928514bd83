//! Slices are the parallelism of a plan: workers that take one after another end together.

use std::num::NonZeroU32;

use barkeep_planner::{PageModel, Planner, SeriesState, Slice};
use barkeep_types::{Grid, Symbol, TimeRange, Timeframe};

use crate::universe::{at, range};

/// How many pages the busiest of some workers fetches, each of whom takes the next slice when it is done with one.
fn longest_of(workers: usize, slices: &[Slice]) -> u64 {
    let mut busy = vec![0; workers];
    for slice in slices {
        *busy.iter_mut().min().unwrap() += slice.requests;
    }
    busy.into_iter().max().unwrap()
}

#[test]
fn no_worker_is_left_with_a_long_slice_while_the_others_have_none() {
    // A bar a session, 50 sessions, 1,000 symbols: 100 pages of 500 bars. Slices of ten would be ten.
    let sessions: Vec<TimeRange> = (0..50).map(|day| range(day * 1440 + 600, day * 1440 + 660)).collect();
    let grid = Grid::new(Timeframe::H1, sessions);
    let symbols: Vec<Symbol> = (0..1_000).map(|number| format!("S{number}").parse().unwrap()).collect();
    let state = |symbol| SeriesState { symbol, covered: &[], live: &[], density: None };
    let states: Vec<SeriesState<'_>> = symbols.iter().map(state).collect();
    let pages = PageModel { bars: 500, symbols: 200, ..PageModel::documented() };
    for workers in 1..=8 {
        let planner = Planner::new(pages).with_served(grid.spans().to_vec());
        let plan = planner.with_workers(NonZeroU32::new(workers).unwrap()).plan(&grid, at(1 << 20), &states);
        assert_eq!(plan.estimate.requests, 100, "no page is wasted for it");
        let longest = longest_of(workers as usize, &plan.slices);
        let least = 100_u64.div_ceil(workers.into());
        assert!(longest <= least + 2, "{longest} pages where {least} would do for {workers} workers");
    }
}
