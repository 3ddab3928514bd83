//! Plans a backfill without fetching anything: gaps, slices, what they cost beside the least possible, and why.
//!
//!     cargo run --example plan_only
use std::num::NonZeroU32;

use barkeep_calendar::{CalendarExt, Nyse};
use barkeep_planner::{PageModel, Plan, Planner, SeriesState, explain};
use barkeep_types::{Coverage, Hours, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

const SYMBOLS: usize = 500;

/// 500 symbols over two years of extended hours, of which some were fetched already.
struct Universe {
    window: TimeRange,
    symbols: Vec<Symbol>,
    covered: Vec<Coverage>,
}

impl Universe {
    fn new(window: TimeRange) -> Self {
        let letter = |number: usize| char::from(b'A' + (number % 26) as u8);
        let name = |number| [number / 26, number].map(letter).iter().collect::<String>();
        let symbols = (0..SYMBOLS).map(|number| name(number).parse().expect("letters are a symbol")).collect();
        Self { window, symbols, covered: (0..SYMBOLS).map(|number| covered(window, number)).collect() }
    }

    fn plan(&self, timeframe: Timeframe, pages: PageModel, settled_until: DateTime<Utc>) -> Plan {
        let grid = Nyse.grid(timeframe, Hours::Extended, self.window);
        let series = self.symbols.iter().zip(&self.covered);
        let states: Vec<SeriesState<'_>> = series
            .map(|(symbol, covered)| SeriesState { symbol, covered: covered.ranges(), live: &[], density: None })
            .collect();
        let served = Nyse.spans(Timeframe::M1, Hours::Extended, self.window);
        let limit = NonZeroU32::new(200).expect("200");
        Planner::new(pages).with_served(served).with_request_limit(limit).plan(&grid, settled_until, &states)
    }
}

/// Three of four symbols were fetched until some day, and one of seven has a hole.
fn covered(window: TimeRange, number: usize) -> Coverage {
    let day = |day: usize| window.start() + TimeDelta::days(day as i64);
    let until = if number.is_multiple_of(4) { None } else { window.before(day(600 + number % 90)) };
    let mut covered: Coverage = until.into_iter().collect();
    if number.is_multiple_of(7) {
        covered.remove(TimeRange::new(day(number), day(number + 30)).expect("a month"));
    }
    covered
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let window = TimeRange::new("2024-11-22T05:00:00Z".parse()?, "2026-11-21T05:00:00Z".parse()?)?;
    let settled_until = "2026-11-21T12:00:00Z".parse()?;
    let universe = Universe::new(window);
    println!("| timeframe | pages by | gaps | slices | requests | least | ratio | at 200 a minute |");
    println!("|---|---|---|---|---|---|---|---|");
    for timeframe in [Timeframe::M15, Timeframe::H1, Timeframe::H4, Timeframe::D1] {
        for (name, pages) in [("documented", PageModel::documented()), ("source minutes", PageModel::default())] {
            let Plan { slices, estimate } = universe.plan(timeframe, pages, settled_until);
            let ratio = estimate.requests as f64 / estimate.least_requests as f64;
            println!(
                "| {timeframe} | {name} | {} | {} | {} | {} | {ratio:.3} | {:.1} min |",
                estimate.gaps,
                slices.len(),
                estimate.requests,
                estimate.least_requests,
                estimate.duration.as_secs_f64() / 60.0
            );
        }
    }

    println!("\nthe first slices of h1:");
    for slice in universe.plan(Timeframe::H1, PageModel::documented(), settled_until).slices.iter().take(3) {
        println!(
            "{} symbols over {}: {} bars, {} requests",
            slice.symbols.len(),
            slice.range,
            slice.bars,
            slice.requests
        );
    }

    println!("\nwhy, of {} d1:", universe.symbols[49]);
    let grid = Nyse.grid(Timeframe::D1, Hours::Extended, window);
    let (symbol, covered) = (&universe.symbols[49], universe.covered[49].ranges());
    let state = SeriesState { symbol, covered, live: &[], density: None };
    for run in explain(&grid, settled_until, &state) {
        println!("{} {:?}: {} bars", run.range, run.reason, run.bars);
    }
    Ok(())
}
