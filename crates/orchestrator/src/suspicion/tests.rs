use barkeep_calendar::Nyse;
use barkeep_catalog::presets;
use barkeep_planner::Slice;
use barkeep_types::{Feed, Timeframe};

use chrono::{DateTime, Utc};

use super::*;

/// Two weeks of hours.
fn watch(symbols: &[&str]) -> Watch {
    let range =
        TimeRange::new("2024-03-11T04:00:00Z".parse().unwrap(), "2024-03-23T04:00:00Z".parse().unwrap()).unwrap();
    let symbols: Vec<Symbol> = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    let slice = Slice { symbols: symbols.clone(), range, bars: 0, requests: 1 };
    let mut watch = Watch::new(&Nyse, &SliceJob::new(&presets::tech20(), Timeframe::H1, slice));
    watch.asks(&BarsRequest::new(symbols, Timeframe::H1, Feed::SIP, range).unwrap());
    watch
}

fn bar(start: DateTime<Utc>, price: f64) -> Bar {
    let (open, high, low, close) = (price, price, price, price);
    Bar { start, open, high, low, close, volume: 1.0, vwap: None, trade_count: None }
}

/// Every bar of a session that `wanted` does not leave out, at the session's price.
fn trade(watch: &mut Watch, symbol: &str, wanted: impl Fn(usize, u32) -> bool, price: impl Fn(usize) -> f64) {
    let grid = watch.grid.clone();
    for session in 0..grid.spans().len() - watch.first {
        let slots = grid.slots_of(session + watch.first);
        let first = slots.start;
        let wanted = slots.filter(|slot| wanted(session, slot - first));
        let bars: Vec<Bar> = wanted.map(|slot| bar(grid.bar(slot).unwrap().start(), price(session))).collect();
        watch.sees(&symbol.parse().unwrap(), &bars);
    }
}

fn found(watch: &Watch) -> Vec<(String, usize, Suspicion)> {
    let findings = watch.findings().into_iter();
    findings
        .map(|finding| (finding.range.start().date_naive().to_string(), finding.symbols.len(), finding.why))
        .collect()
}

#[test]
fn usual_sessions_are_not_suspicious() {
    let mut watch = watch(&["A", "B", "C"]);
    trade(&mut watch, "A", |_, _| true, |session| 100.0 + session as f64);
    // Thin, and never mind how thin on some days.
    trade(&mut watch, "B", |session, bar| bar == 0 || session == 3, |_| 100.0);
    trade(&mut watch, "C", |_, _| false, |_| 100.0);
    assert_eq!(found(&watch), []);
}

#[test]
fn a_session_with_far_fewer_bars_than_usual_is_sparse() {
    let mut watch = watch(&["A"]);
    trade(&mut watch, "A", |session, bar| session != 4 || bar < 4, |_| 100.0);
    assert_eq!(found(&watch), [("2024-03-15".to_owned(), 1, Suspicion::Sparse)]);
}

#[test]
fn a_hole_in_many_series_at_once_is_shared() {
    let symbols = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let mut watch = watch(&symbols);
    for (number, symbol) in symbols.into_iter().enumerate() {
        // Thin, so that a hole alone says nothing.
        trade(&mut watch, symbol, |session, bar| bar == 0 && (number > 4 || session != 4), |_| 100.0);
    }
    assert_eq!(found(&watch), [("2024-03-15".to_owned(), 5, Suspicion::SharedHole)]);
    assert_eq!(
        watch.findings()[0].symbols,
        symbols[..5].iter().map(|symbol| symbol.parse().unwrap()).collect::<Vec<_>>()
    );
}

#[test]
fn a_price_that_jumps_like_a_split_is_found_and_a_fall_is_not() {
    let mut watch = watch(&["A", "B", "C"]);
    trade(&mut watch, "A", |_, _| true, |session| if session < 4 { 400.0 } else { 100.5 });
    trade(&mut watch, "B", |_, _| true, |session| if session < 4 { 10.0 } else { 99.0 });
    trade(&mut watch, "C", |_, _| true, |session| if session < 4 { 100.0 } else { 70.0 });
    assert_eq!(found(&watch), [("2024-03-15".to_owned(), 2, Suspicion::Jump)]);
}

/// The week of March 11, with the hours before the open and after the close, in a request for a part of it.
fn watch_extended(asked_from: &str) -> Watch {
    let range =
        TimeRange::new("2024-03-11T08:00:00Z".parse().unwrap(), "2024-03-23T04:00:00Z".parse().unwrap()).unwrap();
    let range = range.from(asked_from.parse().unwrap()).unwrap();
    let symbols: Vec<Symbol> = vec!["A".parse().unwrap()];
    let slice = Slice { symbols: symbols.clone(), range, bars: 0, requests: 1 };
    let definition = barkeep_catalog::Definition { hours: barkeep_types::Hours::Extended, ..presets::tech20() };
    let mut watch = Watch::new(&Nyse, &SliceJob::new(&definition, Timeframe::H1, slice));
    watch.asks(&BarsRequest::new(symbols, Timeframe::H1, Feed::SIP, range).unwrap());
    watch
}

/// The bars of a session of 16 hours that is watched, as they are in the middle of the day: few of them early and late.
fn as_usual(watch: &Watch, session: usize) -> Vec<Bar> {
    let slots = watch.grid.slots_of(session);
    let first = slots.start;
    let traded = slots.filter(|slot| (3..13).contains(&(slot - first)));
    traded.map(|slot| bar(watch.grid.bar(slot).unwrap().start(), 100.0)).collect()
}

/// Sees every session as usual, as far as it was asked for.
fn see_as_usual(watch: &mut Watch) {
    for session in watch.first..watch.grid.spans().len() {
        let mut bars = as_usual(watch, session);
        bars.retain(|bar| watch.range.contains(bar.start));
        watch.sees(&"A".parse().unwrap(), &bars);
    }
}

#[test]
fn a_session_whose_end_alone_was_asked_for_is_not_judged_by_its_end() {
    // One hour with bars of the last four.
    let mut watch = watch_extended("2024-03-11T20:00:00Z");
    see_as_usual(&mut watch);
    assert_eq!(found(&watch), []);
    let from = |history: &[(Symbol, TimeRange)]| history.iter().map(|(_, range)| *range).collect::<Vec<_>>();
    let morning =
        TimeRange::new("2024-03-11T08:00:00Z".parse().unwrap(), "2024-03-11T20:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(from(&watch.in_need_of_history()), [morning], "it looks thin, and how it began would tell");

    let mut bars = as_usual(&watch, watch.first);
    bars.retain(|bar| morning.contains(bar.start));
    watch.recalls(&"A".parse().unwrap(), &bars, &[morning].into_iter().collect());
    assert_eq!(found(&watch), [], "all of it is as usual");
}

#[test]
fn a_session_of_which_the_rest_was_fetched_before_is_judged_with_it() {
    let morning =
        TimeRange::new("2024-03-11T08:00:00Z".parse().unwrap(), "2024-03-11T20:00:00Z".parse().unwrap()).unwrap();
    let mut watch = watch_extended("2024-03-11T20:00:00Z");
    see_as_usual(&mut watch);
    watch.recalls(&"A".parse().unwrap(), &[], &Coverage::default());
    assert_eq!(found(&watch), [], "nobody knows how it began");
    watch.recalls(&"A".parse().unwrap(), &[], &[morning].into_iter().collect());
    assert_eq!(found(&watch), [("2024-03-11".to_owned(), 1, Suspicion::Sparse)]);
    assert_eq!(watch.findings()[0].range.start(), morning.start(), "all of it is looked at again");
}

#[test]
fn nothing_is_recalled_of_a_session_that_looks_well_from_its_middle_on() {
    let mut watch = watch_extended("2024-03-11T17:00:00Z");
    see_as_usual(&mut watch);
    let rest = watch.grid.slots_of(watch.first).map(|slot| watch.grid.bar(slot).unwrap().start());
    let late: Vec<Bar> = rest
        .filter(|start| *start >= "2024-03-11T21:00:00Z".parse::<DateTime<Utc>>().unwrap())
        .map(|start| bar(start, 100.0))
        .collect();
    watch.sees(&"A".parse().unwrap(), &late);
    assert_eq!(watch.in_need_of_history(), []);
}

#[test]
fn a_short_slice_recalls_what_was_usual_before() {
    let range =
        TimeRange::new("2024-03-15T04:00:00Z".parse().unwrap(), "2024-03-16T04:00:00Z".parse().unwrap()).unwrap();
    let symbols: Vec<Symbol> = ["A", "B", "C"].map(|symbol| symbol.parse().unwrap()).to_vec();
    let slice = Slice { symbols: symbols.clone(), range, bars: 0, requests: 1 };
    let mut watch = Watch::new(&Nyse, &SliceJob::new(&presets::tech20(), Timeframe::H1, slice));
    watch.asks(&BarsRequest::new(symbols.clone(), Timeframe::H1, Feed::SIP, range).unwrap());
    trade(&mut watch, "A", |_, _| true, |_| 100.0);
    trade(&mut watch, "B", |_, bar| bar < 3, |_| 100.0);
    let in_need: Vec<(Symbol, TimeRange)> = watch.in_need_of_history();
    assert!(in_need.iter().map(|(symbol, _)| symbol).eq(&symbols[1..]), "nothing is asked where nothing is odd");
    assert_eq!(found(&watch), []);
    let before = watch.grid.slots_of(0).start..watch.grid.slots_of(watch.first).start;
    let bars: Vec<Bar> = before.map(|slot| bar(watch.grid.bar(slot).unwrap().start(), 100.0)).collect();
    assert_eq!((bars.len(), in_need[0].1.start()), (5 * 7, bars[0].start));
    watch.recalls(&symbols[1], &bars, &[in_need[0].1].into_iter().collect());
    assert_eq!(found(&watch), [("2024-03-15".to_owned(), 1, Suspicion::Sparse)]);
}
