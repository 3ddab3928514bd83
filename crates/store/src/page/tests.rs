use barkeep_types::{Adjustment, Feed};

use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(60 * minute, 0).unwrap()
}

fn minutes(from: i64, to: i64) -> TimeRange {
    TimeRange::new(at(from), at(to)).unwrap()
}

fn series(symbol: &str) -> Series {
    Series { symbol: symbol.parse().unwrap(), timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW }
}

fn bar(minute: i64) -> Bar {
    Bar { start: at(minute), open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0, vwap: None, trade_count: None }
}

fn digest(commit: &Commit) -> [u8; 16] {
    Page::new(commit).unwrap().digest(&ProviderName::ALPACA)
}

#[test]
fn the_order_of_bars_and_series_does_not_change_the_digest() {
    let one = Commit::new(minutes(0, 9))
        .with_bars(series("A"), vec![bar(0), bar(1)])
        .with_bars(series("B"), vec![bar(2)])
        .with_proof(series("A"), minutes(0, 9), State::Covered);
    let other = Commit::new(minutes(0, 9))
        .with_bars(series("B"), vec![bar(2)])
        .with_proof(series("A"), minutes(0, 9), State::Covered)
        .with_bars(series("A"), vec![bar(1), bar(0)]);
    assert_eq!(digest(&one), digest(&other));
}

#[test]
fn whatever_a_page_says_changes_the_digest() {
    let base = Commit::new(minutes(0, 9)).with_bars(series("A"), vec![bar(0), bar(1)]).with_proof(
        series("A"),
        minutes(0, 9),
        State::Covered,
    );
    let changed = |change: fn(&mut Commit)| {
        let mut commit = base.clone();
        change(&mut commit);
        digest(&commit)
    };
    let mut digests = vec![
        digest(&base),
        changed(|commit| commit.bars[0].0 = series("B")),
        changed(|commit| commit.bars[0].1.truncate(1)),
        changed(|commit| commit.bars[0].1[1].start = at(2)),
        changed(|commit| commit.bars[0].1[1].volume = 0.0),
        changed(|commit| commit.bars[0].1[1].vwap = Some(1.0)),
        changed(|commit| commit.bars[0].1[1].trade_count = Some(0)),
        changed(|commit| commit.proofs[0].state = State::Provisional),
        changed(|commit| commit.proofs[0].range = minutes(0, 8)),
        changed(|commit| commit.proofs.clear()),
        Page::new(&base).unwrap().digest(&"other".parse().unwrap()),
    ];
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn a_provider_gone_mad_is_counted_and_not_kept() {
    let mad = (0..5_000).map(|minute| Bar { open: f64::NAN, ..bar(minute) }).collect();
    let commit = Commit::new(minutes(0, 9_000)).with_bars(series("A"), mad);
    let page = Page::new(&commit).unwrap();
    assert_eq!((page.counts.refused, page.refused.len(), page.counts.refusals.len()), (5_000, REFUSALS, REFUSALS));
}

#[test]
fn a_page_spoiled_all_over_is_in_doubt_as_a_whole() {
    let spoil = |minute| Bar { low: if minute % 2 == 0 { f64::NAN } else { 1.0 }, ..bar(minute) };
    let commit = Commit::new(minutes(0, 1_000_000))
        .with_bars(series("A"), (10..500_010).map(spoil).collect())
        .with_proof(series("A"), minutes(0, 1_000_000), State::Covered);
    let page = Page::new(&commit).unwrap();
    assert_eq!(page.counts.refused, 250_000);
    let doubted = [(minutes(0, 1_000_000), State::Covered), (minutes(10, 500_009), State::Suspect)];
    assert_eq!(page.parts[0].proofs, doubted);
}

#[test]
fn a_refused_bar_is_told_as_it_came() {
    let bar = Bar { open: f64::NAN, high: f64::INFINITY, vwap: Some(-0.0), ..bar(1) };
    let refused = RefusedBar { part: 0, bar, reasons: String::new() };
    assert_eq!(
        refused.text(),
        "1970-01-01T00:01:00Z open NaN high inf low 1.0 close 1.0 volume 1.0 vwap -0.0 trades none"
    );
}
