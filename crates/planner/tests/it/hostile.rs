//! Whatever bytes say: no panic, and what is asked for is what is missing.
//!
//! Runs a few thousand inputs; `BARKEEP_FUZZ_SECONDS=600 cargo test -p barkeep-planner --test it hostile` goes on for
//! ten minutes with other inputs each time.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use barkeep_planner::{Density, PageModel, Planner, Reason, SeriesState, explain, gaps};
use barkeep_types::{Grid, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

use crate::universe::SeriesRow;

/// Bytes read as numbers, the same for the same seed.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 8) % end.max(1)
    }

    /// A number, small as a rule, and sometimes as awkward as can be.
    fn number(&mut self) -> u32 {
        match self.below(12) {
            0 => 0,
            1 => u32::MAX - self.below(3) as u32,
            2 => self.next() as u32,
            _ => self.below(300) as u32,
        }
    }

    fn float(&mut self) -> f64 {
        match self.below(6) {
            0 => f64::from_bits(self.next()),
            1 => 0.0,
            _ => self.below(2_000) as f64 / 7.0,
        }
    }

    /// An instant near a common one, or anywhere in time.
    fn instant(&mut self) -> DateTime<Utc> {
        let near = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(self.below(30_000) as i64);
        let odd = TimeDelta::nanoseconds(self.below(1 << 40) as i64);
        match self.below(40) {
            0 => DateTime::<Utc>::MIN_UTC,
            1 => DateTime::<Utc>::MAX_UTC,
            2 => DateTime::from_timestamp(self.next() as i64 >> 20, 0).unwrap_or(near),
            3 => near + odd,
            _ => near,
        }
    }

    fn ranges(&mut self, most: u64) -> Vec<TimeRange> {
        let count = self.below(most);
        (0..count).filter_map(|_| TimeRange::new(self.instant(), self.instant()).ok()).collect()
    }

    fn row(&mut self) -> SeriesRow {
        let symbol = ["A", "B", "C", "BTC/USD", "BRK.B"][self.below(5) as usize].parse().unwrap();
        let density = (self.below(2) == 0).then(|| Density { bars: self.float(), source_bars: self.float() });
        SeriesRow { symbol, covered: self.ranges(6), live: self.ranges(3), density }
    }

    fn planner(&mut self) -> Planner {
        let source_bars = (self.below(2) == 0).then(|| self.number());
        let pages = PageModel { bars: self.number(), source_bars, symbols: self.number(), url_bytes: self.number() };
        let positive = |bytes: &mut Self| NonZeroU32::new(bytes.number()).unwrap_or(NonZeroU32::MIN);
        let (longest, workers, limit) = (positive(self), positive(self), positive(self));
        Planner::new(pages)
            .with_longest_slice(longest)
            .with_workers(workers)
            .with_request_limit(limit)
            .with_served(self.ranges(6))
    }
}

/// The bars of a grid that a session of a few weeks could have; others are taken as they come, but not walked over.
const WALKABLE: u32 = 40_000;

fn try_one(seed: u64) {
    let mut bytes = Bytes(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let timeframe = Timeframe::ALL[bytes.below(9) as usize];
    let grid = Grid::new(timeframe, bytes.ranges(30));
    let rows: Vec<SeriesRow> = (0..bytes.below(8)).map(|_| bytes.row()).collect();
    let states: Vec<SeriesState<'_>> = rows.iter().map(SeriesRow::state).collect();
    let settled = bytes.instant();
    let plan = bytes.planner().plan(&grid, settled, &states);
    assert!(plan.estimate.requests >= plan.estimate.least_requests, "seed {seed}: {:?}", plan.estimate);
    let asked: u64 =
        plan.slices.iter().map(|slice| grid.slots_in(slice.range).len() as u64 * slice.symbols.len() as u64).sum();
    assert_eq!(asked, plan.estimate.missing_slots + plan.estimate.refetched_slots, "seed {seed}");
    for state in &states {
        let runs = explain(&grid, settled, state);
        assert_eq!(runs.iter().map(|run| u64::from(run.bars)).sum::<u64>(), u64::from(grid.bars()), "seed {seed}");
        let is_alone = states.iter().filter(|other| other.symbol == state.symbol).count() == 1;
        if grid.bars() > WALKABLE || !is_alone {
            continue;
        }
        for run in runs.iter().filter(|run| run.reason == Reason::Missing) {
            let slices = plan.slices.iter().filter(|slice| slice.symbols.contains(state.symbol));
            let held: u32 = slices
                .filter_map(|slice| slice.range.intersection(&run.range))
                .map(|shared| grid.slots_in(shared).len() as u32)
                .sum();
            assert_eq!(held, run.bars, "seed {seed}: {} of {}", run.range, state.symbol);
        }
    }
    let mut found = Vec::new();
    let runs: Vec<_> = (0..bytes.below(20)).map(|_| bytes.number()..bytes.number()).collect();
    gaps(bytes.number()..bytes.number(), &runs, &runs, &mut found);
    assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start), "seed {seed}");
}

#[test]
fn hostile_input_is_planned_without_a_panic() {
    match std::env::var("BARKEEP_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()) {
        None => (0..2_000).for_each(try_one),
        Some(seconds) => {
            let start = Instant::now();
            // Other inputs each time: the seed is printed with whatever fails.
            let first = u64::from(std::process::id()) << 32;
            (first..).take_while(|_| start.elapsed() < Duration::from_secs(seconds)).for_each(try_one);
        }
    }
}
