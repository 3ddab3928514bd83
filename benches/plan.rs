//! Planning end to end, from coverage to slices: 5,000 symbols x 4 timeframes x 10 years with ragged gaps.
//!
//!     cargo bench -p benches --bench plan

use std::hint::black_box;
use std::time::Duration;

use barkeep_calendar::{Calendar, CalendarExt, Nyse, Table};
use barkeep_planner::{PageModel, Plan, Planner};
use barkeep_types::{Hours, Timeframe};
use benches::universe::{Group, dates, ragged};
use benches::{is_measuring, print_ratio, shortest};
use chrono::NaiveDate;
use criterion::{BenchmarkId, Criterion};

const TIMEFRAMES: [Timeframe; 4] = [Timeframe::M15, Timeframe::H1, Timeframe::H4, Timeframe::D1];

fn main() {
    let most = if is_measuring() { 5_000 } else { 40 };
    let mut times = Vec::new();
    for share in [8, 4, 2, 1] {
        times.push((most / share, years(most / share, "2016-11-21")));
    }
    println!("| symbols | years | models | seconds |\n|---|---|---|---|");
    for (symbols, [documented, source]) in &times {
        println!("| {symbols} | 10 | documented | {:.3} |", documented.as_secs_f64());
        println!("| {symbols} | 10 | source | {:.3} |", source.as_secs_f64());
    }
    let [(_, half), (_, all)] = [&times[2], &times[3]];
    print_ratio("plan/seconds/documented", all[0].as_secs_f64());
    print_ratio("plan/seconds/source", all[1].as_secs_f64());
    print_ratio("plan/growth/2x/documented", all[0].as_secs_f64() / half[0].as_secs_f64());
    print_ratio("plan/growth/2x/source", all[1].as_secs_f64() / half[1].as_secs_f64());

    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    measure(&mut criterion, most / 10);
    calendar(&mut criterion);
    criterion.final_summary();
}

fn groups(symbols: usize, first: &str) -> Vec<Group> {
    let range = dates(first, "2026-11-20");
    let group = |timeframe| {
        let mut group = Group::new(timeframe, symbols, range);
        let missing = ragged(symbols, group.grid.spans().len(), 1);
        group.cover_but(|number| missing[number].clone());
        group
    };
    TIMEFRAMES.map(group).into()
}

fn plan(group: &Group, pages: PageModel) -> Plan {
    let planner = Planner::new(pages).with_served(group.served.iter().copied());
    planner.plan(&group.grid, group.settled(), &group.states())
}

/// The shortest of three runs, by either reading of the vendor's pages.
fn years(symbols: usize, first: &str) -> [Duration; 2] {
    let groups = groups(symbols, first);
    [PageModel::documented(), PageModel::default()].map(|pages| {
        shortest(3, || {
            for group in &groups {
                assert!(!black_box(plan(group, pages)).slices.is_empty());
            }
        })
    })
}

fn measure(criterion: &mut Criterion, symbols: usize) {
    let mut benches = criterion.benchmark_group("plan/ragged/2y");
    for group in groups(symbols, "2024-11-22") {
        let name = BenchmarkId::new(group.grid.timeframe().as_str(), symbols);
        benches.bench_function(name, |bench| bench.iter(|| plan(&group, PageModel::default())));
    }
    benches.finish();
}

fn calendar(criterion: &mut Criterion) {
    let date = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
    let dates = date(1990)..=date(2036);
    let table = Table::new(Nyse, dates.clone());
    assert_eq!(table.sessions().len(), 11_577);
    let mut benches = criterion.benchmark_group("calendar");
    benches.bench_function("table/46y", |bench| bench.iter(|| Table::new(Nyse, black_box(dates.clone()))));
    let noon = "2026-11-20T17:00:00Z".parse().expect("noon");
    benches.bench_function("session/by_rule", |bench| bench.iter(|| Nyse.session(black_box(date(2026)))));
    benches
        .bench_function("session_at/table", |bench| bench.iter(|| table.session_at(black_box(noon), Hours::Regular)));
    benches.finish();
}
