//! Whatever bytes say, planning does not panic, and asks for as much as it says.
//!
//!     fuzz/run plan -max_total_time=600

#![no_main]

use std::num::NonZeroU32;

use arbitrary::Arbitrary;
use barkeep_calendar::{CalendarExt, Nyse};
use barkeep_planner::{Density, PageModel, Planner, SeriesSlots, SeriesState, explain, gaps_of_each};
use barkeep_types::{Grid, Hours, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;

/// Minutes from an ordinary Friday, or any second there is.
#[derive(Arbitrary, Debug)]
enum Instant {
    Near(u16),
    Any(i64),
}

#[derive(Arbitrary, Debug)]
struct Range(Instant, Instant);

#[derive(Arbitrary, Debug)]
struct Series {
    name: u8,
    covered: Vec<Range>,
    live: Vec<Range>,
    density: Option<(f64, f64)>,
}

#[derive(Arbitrary, Debug)]
struct Input {
    timeframe: u8,
    /// `None`: sessions of New York in this range.
    spans: Option<Vec<Range>>,
    window: (u16, u16),
    served: Vec<Range>,
    settled: Instant,
    pages: (u32, Option<u32>, u32, u32),
    limits: [NonZeroU32; 3],
    series: Vec<Series>,
    runs: Vec<Vec<(u32, u32)>>,
}

impl Instant {
    fn at(&self) -> DateTime<Utc> {
        let friday = DateTime::from_timestamp(1_709_856_000, 0).unwrap_or_default();
        match self {
            Self::Near(minutes) => friday + TimeDelta::minutes((*minutes).into()),
            Self::Any(second) => DateTime::from_timestamp(*second, 0).unwrap_or(friday),
        }
    }
}

fn ranges(ranges: &[Range]) -> Vec<TimeRange> {
    ranges.iter().filter_map(|Range(start, end)| TimeRange::new(start.at(), end.at()).ok()).collect()
}

fn plan(input: &Input) {
    let timeframe = Timeframe::ALL[usize::from(input.timeframe) % Timeframe::ALL.len()];
    let window = TimeRange::new(Instant::Near(input.window.0).at(), Instant::Near(input.window.1).at());
    let grid = match (&input.spans, window) {
        (None, Ok(window)) => Nyse.grid(timeframe, Hours::Extended, window),
        (spans, _) => Grid::new(timeframe, spans.as_deref().map(ranges).unwrap_or_default()),
    };
    let owned: Vec<(Symbol, Vec<TimeRange>, Vec<TimeRange>, Option<Density>)> = input
        .series
        .iter()
        .map(|series| {
            let symbol = format!("S{}", series.name % 16).parse().expect("a symbol");
            let density = series.density.map(|(bars, source_bars)| Density { bars, source_bars });
            (symbol, ranges(&series.covered), ranges(&series.live), density)
        })
        .collect();
    let states: Vec<SeriesState<'_>> = owned
        .iter()
        .map(|(symbol, covered, live, density)| SeriesState { symbol, covered, live, density: *density })
        .collect();
    let (bars, source_bars, symbols, url_bytes) = input.pages;
    let [longest, workers, limit] = input.limits;
    let planner = Planner::new(PageModel { bars, source_bars, symbols, url_bytes })
        .with_longest_slice(longest)
        .with_workers(workers)
        .with_request_limit(limit)
        .with_served(ranges(&input.served));
    let plan = planner.plan(&grid, input.settled.at(), &states);
    let asked = |slice: &barkeep_planner::Slice| grid.slots_in(slice.range).len() as u64 * slice.symbols.len() as u64;
    let estimate = plan.estimate;
    assert_eq!(plan.slices.iter().map(asked).sum::<u64>(), estimate.missing_slots + estimate.refetched_slots);
    assert!(estimate.requests >= estimate.least_requests);
    for state in &states {
        let runs = explain(&grid, input.settled.at(), state);
        assert_eq!(runs.iter().map(|run| u64::from(run.bars)).sum::<u64>(), grid.bars().into());
    }
}

fn sweep(input: &Input) {
    let mut held = SeriesSlots::default();
    input.runs.iter().for_each(|runs| held.push(runs.iter().map(|(start, end)| *start..*end)));
    let mut found = SeriesSlots::default();
    gaps_of_each(input.window.0.into()..input.window.1.into(), &held, &mut found);
    assert_eq!(found.len(), held.len());
    for (held, found) in held.iter().zip(found.iter()) {
        assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start));
        assert!(
            found
                .iter()
                .all(|gap| held.iter().all(|run| run.is_empty() || run.end <= gap.start || gap.end <= run.start))
        );
    }
}

fuzz_target!(|input: Input| {
    plan(&input);
    sweep(&input);
});
