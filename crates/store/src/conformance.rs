//! What every store must do: one function a promise, each given an empty store.
//!
//! [`store_conformance!`](crate::store_conformance) lists them once, so that no backend can leave one out.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: that is how a test says so")]

use barkeep_types::{Adjustment, Bar, BarFault, Feed, Series, TimeRange, Timeframe};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;

use crate::{Commit, Committed, Error, Span, State, Store, Summary};

/// Makes a test of every promise. The expression opens an empty store, and gives it with whatever must outlive it.
///
/// ```ignore
/// barkeep_store::store_conformance!({
///     let folder = tempfile::tempdir().unwrap();
///     (MyStore::open(folder.path()).await.unwrap(), folder)
/// });
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($open:expr) => {
        $crate::store_conformance!(
            $open,
            a_page_is_read_back_as_it_was_committed,
            a_page_committed_again_writes_nothing,
            a_page_recognised_is_not_trusted_once_its_bars_were_revised,
            a_page_recognised_is_not_trusted_once_its_coverage_was_doubted,
            other_values_replace_those_stored,
            bars_that_a_page_lacks_are_kept_and_counted,
            an_empty_page_covers_with_zero_rows,
            bars_beyond_the_proof_are_stored_and_not_covered,
            bars_stored_ahead_of_their_proof_are_counted_once_proved,
            pages_that_follow_each_other_coalesce,
            coverage_with_a_hole_has_two_spans,
            provisional_time_is_covered_once_settled,
            covered_time_is_not_made_provisional,
            suspected_time_is_cut_out_and_counted,
            time_never_covered_is_not_suspected,
            an_empty_span_found_empty_again_counts_its_checks,
            a_hole_filled_joins_its_neighbours,
            of_doubled_bars_the_last_wins,
            bars_in_any_order_are_stored_in_order,
            bars_outside_of_what_was_asked_are_dropped,
            impossible_bars_are_refused_with_every_reason,
            the_time_of_a_refused_bar_is_suspect,
            a_proof_beyond_what_was_asked_is_an_error,
            a_page_of_nothing_is_nothing,
            a_page_of_many_series_is_one_commit,
            series_that_differ_in_anything_are_kept_apart,
            answers_come_in_the_order_of_the_question,
            bars_are_limited_and_half_open,
            the_latest_bar_of_each_series,
            summaries_tell_how_much_there_is,
            values_survive_to_the_last_bit,
            writers_of_overlapping_pages_neither_block_nor_double,
            a_long_page_is_stored_whole,
        );
    };
    ($open:expr, $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let (store, _outlives) = $open;
                $crate::conformance::$promise(&store).await;
                $crate::conformance::bars_and_coverage_agree(&store).await;
            }
        )+
    };
}

/// 2024-03-08T14:30:00Z, an opening bell.
const OPEN: i64 = 1_709_908_200;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(OPEN + 60 * minute, 0).expect("a minute of this century")
}

fn minutes(from: i64, to: i64) -> TimeRange {
    TimeRange::new(at(from), at(to)).expect("a test's range is not empty")
}

fn series(symbol: &str) -> Series {
    Series {
        symbol: symbol.parse().expect("a test's symbol"),
        timeframe: Timeframe::M1,
        feed: Feed::SIP,
        adjustment: Adjustment::RAW,
    }
}

fn bar(minute: i64) -> Bar {
    let close = 170.0 + minute as f64 / 100.0;
    Bar {
        start: at(minute),
        open: 170.0,
        high: close + 1.25,
        low: 169.5,
        close,
        volume: 1_000.0 + minute as f64,
        vwap: Some(170.123_457),
        trade_count: Some(17),
    }
}

fn bars(from: i64, to: i64) -> Vec<Bar> {
    (from..to).map(bar).collect()
}

/// A page that has every bar of a range, and proves it.
fn page(symbol: &str, from: i64, to: i64) -> Commit {
    let range = minutes(from, to);
    Commit::new(range).with_bars(series(symbol), bars(from, to)).with_proof(series(symbol), range, State::Covered)
}

fn empty_page(symbol: &str, from: i64, to: i64, state: State) -> Commit {
    Commit::new(minutes(from, to)).with_proof(series(symbol), minutes(from, to), state)
}

async fn commit(store: &dyn Store, commit: Commit) -> Committed {
    store.commit(&commit).await.expect("the page is committed")
}

async fn stored(store: &dyn Store, symbol: &str) -> Vec<Bar> {
    store.bars(&series(symbol), minutes(-10_000, 2_000_000), usize::MAX).await.expect("bars are read")
}

async fn spans(store: &dyn Store, symbol: &str) -> Vec<Span> {
    store.coverage(&[series(symbol)]).await.expect("coverage is read").remove(0)
}

/// Spans without their clock: range, state, rows, empty checks.
async fn ledger(store: &dyn Store, symbol: &str) -> Vec<(TimeRange, State, u64, u32)> {
    let spans = spans(store, symbol).await;
    spans.into_iter().map(|span| (span.range, span.state, span.rows, span.empty_checks)).collect()
}

/// Whatever was done, what is left is sound. Checked after every promise.
pub async fn bars_and_coverage_agree(store: &dyn Store) {
    let findings = store.check().await.expect("the store is checked");
    let harmful: Vec<_> = findings.iter().filter(|finding| !finding.is_harmless()).collect();
    assert!(harmful.is_empty(), "{harmful:?}");
}

/// Bars and coverage are committed together, and read back equal.
pub async fn a_page_is_read_back_as_it_was_committed(store: &dyn Store) {
    let committed = commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(committed, Committed { inserted: 5, ..Committed::default() });
    assert_eq!(committed.written(), 5);
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Covered, 5, 0)]);
}

/// The same again changes nothing: not the bars, not when they were fetched.
pub async fn a_page_committed_again_writes_nothing(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let before = spans(store, "AAPL").await;
    for again in [page("AAPL", 0, 5), page("AAPL", 1, 3), page("AAPL", 0, 5)] {
        let unchanged = again.bars[0].1.len() as u64;
        assert_eq!(commit(store, again).await, Committed { unchanged, ..Committed::default() });
    }
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
    assert_eq!(spans(store, "AAPL").await, before);
}

/// A page is recognised by its digest only while nothing it said was changed.
pub async fn a_page_recognised_is_not_trusted_once_its_bars_were_revised(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut other = page("AAPL", 2, 3);
    other.bars[0].1[0].volume += 1.0;
    assert_eq!(commit(store, other).await.revised, 1);
    let again = commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(again, Committed { revised: 1, unchanged: 4, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
}

/// A page fetched again because its time was in doubt covers it again.
pub async fn a_page_recognised_is_not_trusted_once_its_coverage_was_doubted(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    store.suspect(&series("AAPL"), minutes(0, 5)).await.expect("time is doubted");
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Suspect, 5, 0)]);
    assert_eq!(commit(store, page("AAPL", 0, 5)).await.unchanged, 5);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Covered, 5, 0)]);
}

/// A correction is an update, counted as such, and touches no other bar.
pub async fn other_values_replace_those_stored(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut corrected = page("AAPL", 0, 5);
    corrected.bars[0].1[3].close = 169.75;
    corrected.bars[0].1[4].vwap = None;
    let expected = corrected.bars[0].1.clone();
    let committed = commit(store, corrected).await;
    assert_eq!(committed, Committed { revised: 2, unchanged: 3, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, expected);
}

/// A provider that forgets a bar does not make us forget it.
pub async fn bars_that_a_page_lacks_are_kept_and_counted(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut lacking = page("AAPL", 0, 5);
    lacking.bars[0].1.remove(2);
    for _ in 0..2 {
        let committed = commit(store, lacking.clone()).await;
        assert_eq!(committed, Committed { unchanged: 4, absent: 1, ..Committed::default() });
    }
    assert_eq!(commit(store, empty_page("AAPL", 0, 5, State::Covered)).await.absent, 5);
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Covered, 5, 0)]);
}

/// An answer without bars is an answer.
pub async fn an_empty_page_covers_with_zero_rows(store: &dyn Store) {
    let committed = commit(store, empty_page("AAPL", 0, 30, State::Covered)).await;
    assert_eq!(committed, Committed::default());
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 0, 1)]);
    commit(store, empty_page("AAPL", 0, 30, State::Covered)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 0, 1)]);
}

/// The last symbol of an unfinished page has bars whose end nobody knows.
pub async fn bars_beyond_the_proof_are_stored_and_not_covered(store: &dyn Store) {
    let unfinished = Commit::new(minutes(0, 30))
        .with_bars(series("AAPL"), bars(0, 10))
        .with_bars(series("MSFT"), bars(0, 10))
        .with_proof(series("AAPL"), minutes(0, 30), State::Covered)
        .with_proof(series("MSFT"), minutes(0, 9), State::Covered);
    assert_eq!(commit(store, unfinished).await.inserted, 20);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 10, 0)]);
    assert_eq!(ledger(store, "MSFT").await, [(minutes(0, 9), State::Covered, 9, 0)]);
    assert_eq!(stored(store, "MSFT").await, bars(0, 10));
    let unproved = Commit::new(minutes(0, 30)).with_bars(series("NVDA"), bars(0, 3));
    assert_eq!(commit(store, unproved).await.inserted, 3);
    assert_eq!(ledger(store, "NVDA").await, []);
}

/// A span's rows are the bars within it, whenever they came.
pub async fn bars_stored_ahead_of_their_proof_are_counted_once_proved(store: &dyn Store) {
    commit(store, Commit::new(minutes(0, 30)).with_bars(series("AAPL"), bars(0, 10))).await;
    let committed = commit(store, page("AAPL", 5, 15)).await;
    assert_eq!(committed, Committed { inserted: 5, unchanged: 5, ..Committed::default() });
    assert_eq!(ledger(store, "AAPL").await, [(minutes(5, 15), State::Covered, 10, 0)]);
    commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 15), State::Covered, 15, 0)]);
    let late = Commit::new(minutes(0, 30)).with_bars(series("AAPL"), bars(10, 20));
    assert_eq!(commit(store, late).await.inserted, 5);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 15), State::Covered, 15, 0)]);
}

/// A backfill of a thousand pages leaves one row of coverage.
pub async fn pages_that_follow_each_other_coalesce(store: &dyn Store) {
    for from in [10, 0, 20, 15, 5] {
        commit(store, page("AAPL", from, from + 5)).await;
    }
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 25), State::Covered, 25, 0)]);
}

/// What was not asked for is not covered.
pub async fn coverage_with_a_hole_has_two_spans(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    commit(store, page("AAPL", 6, 10)).await;
    let covered = State::Covered;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), covered, 5, 0), (minutes(6, 10), covered, 4, 0)]);
}

/// Today's bars are fetched again once settled.
pub async fn provisional_time_is_covered_once_settled(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut today = page("AAPL", 5, 10);
    today.proofs[0].state = State::Provisional;
    commit(store, today).await;
    let spans = [(minutes(0, 5), State::Covered, 5, 0), (minutes(5, 10), State::Provisional, 5, 0)];
    assert_eq!(ledger(store, "AAPL").await, spans);
    assert_eq!(commit(store, page("AAPL", 5, 10)).await.unchanged, 5);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 10), State::Covered, 10, 0)]);
}

/// A late worker with an early answer takes nothing back.
pub async fn covered_time_is_not_made_provisional(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut late = page("AAPL", 3, 8);
    late.proofs[0].state = State::Provisional;
    commit(store, late).await;
    let spans = [(minutes(0, 5), State::Covered, 5, 0), (minutes(5, 8), State::Provisional, 3, 0)];
    assert_eq!(ledger(store, "AAPL").await, spans);
}

/// Doubt is cut to the minute, and each piece knows its rows.
pub async fn suspected_time_is_cut_out_and_counted(store: &dyn Store) {
    commit(store, page("AAPL", 0, 10)).await;
    store.suspect(&series("AAPL"), minutes(4, 6)).await.expect("time is doubted");
    let expected = [
        (minutes(0, 4), State::Covered, 4, 0),
        (minutes(4, 6), State::Suspect, 2, 0),
        (minutes(6, 10), State::Covered, 4, 0),
    ];
    assert_eq!(ledger(store, "AAPL").await, expected);
    let before = spans(store, "AAPL").await;
    store.suspect(&series("AAPL"), minutes(4, 6)).await.expect("time is doubted again");
    assert_eq!(spans(store, "AAPL").await, before);
    assert_eq!(stored(store, "AAPL").await, bars(0, 10));
}

/// Doubt is about what was fetched: what was not is simply missing.
pub async fn time_never_covered_is_not_suspected(store: &dyn Store) {
    store.suspect(&series("AAPL"), minutes(0, 10)).await.expect("an unknown series is doubted");
    commit(store, page("AAPL", 0, 5)).await;
    store.suspect(&series("AAPL"), minutes(3, 10)).await.expect("time is doubted");
    let expected = [(minutes(0, 3), State::Covered, 3, 0), (minutes(3, 5), State::Suspect, 2, 0)];
    assert_eq!(ledger(store, "AAPL").await, expected);
}

/// Whoever verifies empty time a bounded number of times can see how often it was done.
pub async fn an_empty_span_found_empty_again_counts_its_checks(store: &dyn Store) {
    for checks in 1..4 {
        commit(store, empty_page("AAPL", 0, 30, State::Covered)).await;
        assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 0, checks)]);
        store.suspect(&series("AAPL"), minutes(0, 30)).await.expect("time is doubted");
        assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Suspect, 0, checks)]);
    }
    commit(store, page("AAPL", 0, 30)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 30, 0)]);
}

/// A hole between two spans leaves one when it is filled.
pub async fn a_hole_filled_joins_its_neighbours(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    commit(store, page("AAPL", 10, 15)).await;
    commit(store, page("AAPL", 4, 11)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 15), State::Covered, 15, 0)]);
    assert_eq!(stored(store, "AAPL").await, bars(0, 15));
}

/// Providers repeat themselves; the last word counts.
pub async fn of_doubled_bars_the_last_wins(store: &dyn Store) {
    let mut doubled = page("AAPL", 0, 3);
    let last = Bar { volume: 7.0, ..bar(1) };
    doubled.bars.push((series("AAPL"), vec![Bar { volume: 6.0, ..bar(1) }, last]));
    let committed = commit(store, doubled).await;
    assert_eq!(committed, Committed { inserted: 3, doubled: 2, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, [bar(0), last, bar(2)]);
}

/// Order is the store's business.
pub async fn bars_in_any_order_are_stored_in_order(store: &dyn Store) {
    let mut backwards = page("AAPL", 0, 50);
    backwards.bars[0].1.reverse();
    assert_eq!(commit(store, backwards).await.inserted, 50);
    assert_eq!(stored(store, "AAPL").await, bars(0, 50));
}

/// A provider cannot write where nobody asked it to.
pub async fn bars_outside_of_what_was_asked_are_dropped(store: &dyn Store) {
    let mut generous = page("AAPL", 0, 5);
    generous.bars[0].1 = bars(-3, 9);
    let committed = commit(store, generous).await;
    assert_eq!(committed, Committed { inserted: 5, dropped: 7, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
}

/// Impossible bars are named, and the possible ones of the page stored.
pub async fn impossible_bars_are_refused_with_every_reason(store: &dyn Store) {
    type Spoil = fn(&mut Bar);
    let spoils: [(Spoil, BarFault); 8] = [
        (|bar| bar.open = f64::NAN, BarFault::NotFinite),
        (|bar| bar.high = f64::INFINITY, BarFault::NotFinite),
        (|bar| bar.low = -1.0, BarFault::PriceNotPositive),
        (|bar| bar.low = 5e-324, BarFault::TooSmall),
        (|bar| bar.high = 1.0, BarFault::HighBelowLow),
        (|bar| bar.volume = 9_007_199_254_740_992.0, BarFault::VolumeTooLarge),
        (|bar| bar.vwap = Some(f64::NAN), BarFault::NotFinite),
        (|bar| bar.trade_count = Some(u64::MAX), BarFault::TradeCountTooLarge),
    ];
    let mut spoiled = page("AAPL", 0, 10);
    for (index, (spoil, _)) in spoils.iter().enumerate() {
        spoil(&mut spoiled.bars[0].1[index]);
    }
    for _ in 0..2 {
        let committed = commit(store, spoiled.clone()).await;
        assert_eq!((committed.refused, committed.refusals.len()), (8, 8));
        for (refused, (_, fault)) in committed.refusals.iter().zip(&spoils) {
            assert!(refused.faults.reasons().contains(fault), "{refused:?}");
        }
        assert_eq!(stored(store, "AAPL").await, bars(8, 10));
    }
}

/// A bar that was sent but could not be true is neither there nor known not to be.
pub async fn the_time_of_a_refused_bar_is_suspect(store: &dyn Store) {
    let mut spoiled = page("AAPL", 0, 10);
    spoiled.bars[0].1[4].low = f64::NAN;
    commit(store, spoiled.clone()).await;
    let expected = [
        (minutes(0, 4), State::Covered, 4, 0),
        (minutes(4, 5), State::Suspect, 0, 1),
        (minutes(5, 10), State::Covered, 5, 0),
    ];
    assert_eq!(ledger(store, "AAPL").await, expected);
    commit(store, spoiled).await;
    assert_eq!(ledger(store, "AAPL").await, expected);
    commit(store, page("AAPL", 0, 10)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 10), State::Covered, 10, 0)]);
}

/// Nothing of a page is stored that claims what it cannot know.
pub async fn a_proof_beyond_what_was_asked_is_an_error(store: &dyn Store) {
    let mut boastful = page("AAPL", 0, 5);
    boastful.proofs[0].range = minutes(0, 6);
    let error = store.commit(&boastful).await.expect_err("the proof is refused");
    assert!(matches!(error, Error::InvalidCommit { .. }), "{error}");
    assert_eq!((error.code(), error.is_transient()), ("VALIDATION_ERROR", false));
    assert_eq!(stored(store, "AAPL").await, []);
}

/// Saying nothing is allowed.
pub async fn a_page_of_nothing_is_nothing(store: &dyn Store) {
    assert_eq!(commit(store, Commit::new(minutes(0, 5))).await, Committed::default());
    let silent = Commit::new(minutes(0, 5)).with_bars(series("AAPL"), Vec::new());
    assert_eq!(commit(store, silent).await, Committed::default());
    assert_eq!(ledger(store, "AAPL").await, []);
}

/// Two hundred symbols in one page are one transaction.
pub async fn a_page_of_many_series_is_one_commit(store: &dyn Store) {
    let symbols: Vec<String> = (0..200).map(|number| format!("S{number}")).collect();
    let mut commit_many = Commit::new(minutes(0, 5)).with_request("request-1");
    for symbol in &symbols {
        commit_many =
            commit_many.with_bars(series(symbol), bars(0, 5)).with_proof(series(symbol), minutes(0, 5), State::Covered);
    }
    assert_eq!(commit(store, commit_many.clone()).await.inserted, 1_000);
    assert_eq!(commit(store, commit_many).await.unchanged, 1_000);
    let all: Vec<Series> = symbols.iter().map(|symbol| series(symbol)).collect();
    let coverage = store.coverage(&all).await.expect("coverage is read");
    assert!(coverage.iter().all(|spans| spans.len() == 1 && spans[0].rows == 5));
    assert_eq!(store.series().await.expect("series are read").len(), 200);
}

/// Symbol, timeframe, feed and adjustment all count.
pub async fn series_that_differ_in_anything_are_kept_apart(store: &dyn Store) {
    let base = series("AAPL");
    let others = [
        base.clone(),
        Series { timeframe: Timeframe::H1, ..base.clone() },
        Series { feed: Feed::IEX, ..base.clone() },
        Series { adjustment: Adjustment::ALL, ..base.clone() },
        series("AAPL.B"),
    ];
    for (index, other) in others.iter().enumerate() {
        let only = bar(index as i64);
        let one = Commit::new(minutes(0, 9)).with_bars(other.clone(), vec![only]);
        assert_eq!(commit(store, one).await.inserted, 1);
        let found = store.bars(other, minutes(0, 9), usize::MAX).await.expect("bars are read");
        assert_eq!(found, [only]);
    }
    let mut sorted = others.to_vec();
    sorted.sort();
    assert_eq!(store.series().await.expect("series are read"), sorted);
}

/// A question about a series never heard of has an answer too.
pub async fn answers_come_in_the_order_of_the_question(store: &dyn Store) {
    commit(store, page("MSFT", 0, 2)).await;
    commit(store, page("AAPL", 0, 3)).await;
    let asked = [series("NVDA"), series("MSFT"), series("AAPL"), series("MSFT")];
    let rows: Vec<u64> = store
        .coverage(&asked)
        .await
        .expect("coverage is read")
        .iter()
        .map(|spans| spans.iter().map(|span| span.rows).sum())
        .collect();
    assert_eq!(rows, [0, 2, 3, 2]);
    let latest = store.latest(&asked).await.expect("latest bars are read");
    assert_eq!(latest, [None, Some(bar(1)), Some(bar(2)), Some(bar(1))]);
    assert_eq!(store.coverage(&[]).await.expect("no question, no answer"), Vec::<Vec<Span>>::new());
}

/// A range holds its start and not its end.
pub async fn bars_are_limited_and_half_open(store: &dyn Store) {
    commit(store, page("AAPL", 0, 10)).await;
    let read = async |range, limit| store.bars(&series("AAPL"), range, limit).await.expect("bars are read");
    assert_eq!(read(minutes(2, 5), usize::MAX).await, bars(2, 5));
    assert_eq!(read(minutes(2, 5), 2).await, bars(2, 4));
    assert_eq!(read(minutes(2, 5), 0).await, []);
    assert_eq!(read(minutes(10, 50), usize::MAX).await, []);
    let all_time = TimeRange::new(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).expect("all time");
    assert_eq!(read(all_time, usize::MAX).await, bars(0, 10));
}

/// The latest bar is the latest stored, covered or not.
pub async fn the_latest_bar_of_each_series(store: &dyn Store) {
    commit(store, page("AAPL", 0, 10)).await;
    let ahead = Commit::new(minutes(0, 90)).with_bars(series("AAPL"), vec![bar(80), bar(70)]);
    commit(store, ahead).await;
    assert_eq!(store.latest(&[series("AAPL")]).await.expect("latest bars are read"), [Some(bar(80))]);
}

/// Counts, first and last, of many series at once.
pub async fn summaries_tell_how_much_there_is(store: &dyn Store) {
    commit(store, page("AAPL", 3, 9)).await;
    commit(store, empty_page("AAPL", 9, 20, State::Covered)).await;
    let summaries = store.summaries(&[series("NVDA"), series("AAPL")]).await.expect("summaries are read");
    assert_eq!(summaries[0], Summary::default());
    assert_eq!((summaries[1].bars, summaries[1].first, summaries[1].last), (6, Some(at(3)), Some(at(8))));
    assert!(summaries[1].fetched_at.is_some());
}

/// Numbers are kept as they came, absent ones absent.
pub async fn values_survive_to_the_last_bit(store: &dyn Store) {
    let odd = [
        Bar { open: 0.1 + 0.2, high: 1e300, low: 1e-12, close: 0.1, volume: 0.0, vwap: None, ..bar(0) },
        Bar { trade_count: Some(i64::MAX.cast_unsigned()), volume: 9_007_199_254_740_991.0, ..bar(1) },
        Bar { trade_count: None, vwap: Some(1e-12), volume: 1.0 / 3.0, ..bar(2) },
        Bar { trade_count: Some(0), high: 171.0, volume: 3.0, ..bar(3) },
    ];
    let page = Commit::new(minutes(0, 9)).with_bars(series("BTC/USD"), odd.to_vec());
    assert_eq!(commit(store, page.clone()).await.inserted, 4);
    assert_eq!(stored(store, "BTC/USD").await, odd);
    assert_eq!(commit(store, page).await.unchanged, 4);
}

/// Whoever comes second finds what the first one did.
pub async fn writers_of_overlapping_pages_neither_block_nor_double(store: &dyn Store) {
    // The pages name their series in different orders, and overlap in time.
    let page = |from: i64, symbols: [&str; 4]| {
        let range = minutes(from, from + 20);
        symbols.iter().fold(Commit::new(range), |page, symbol| {
            page.with_bars(series(symbol), bars(from, from + 20)).with_proof(series(symbol), range, State::Covered)
        })
    };
    let (forwards, backwards) = (["A", "B", "C", "D"], ["D", "C", "B", "A"]);
    let pages: Vec<Commit> =
        (0..24).map(|number| page(5 * number, if number % 2 == 0 { forwards } else { backwards })).collect();
    let committed = try_join_all(pages.iter().map(|page| store.commit(page))).await.expect("pages are committed");
    let inserted: u64 = committed.iter().map(|committed| committed.inserted).sum();
    assert_eq!(inserted, 4 * 135);
    for symbol in forwards {
        assert_eq!(stored(store, symbol).await, bars(0, 135));
        assert_eq!(ledger(store, symbol).await, [(minutes(0, 135), State::Covered, 135, 0)]);
    }
}

/// Nothing depends on how long a page is.
pub async fn a_long_page_is_stored_whole(store: &dyn Store) {
    let committed = commit(store, page("AAPL", 0, 12_345)).await;
    assert_eq!(committed.inserted, 12_345);
    assert_eq!(stored(store, "AAPL").await, bars(0, 12_345));
    let (mut grown, last) = (page("AAPL", 0, 12_345), Bar { close: 170.5, ..bar(12_344) });
    grown.bars[0].1[12_344] = last;
    assert_eq!(commit(store, grown).await, Committed { revised: 1, unchanged: 12_344, ..Committed::default() });
    assert_eq!(store.latest(&[series("AAPL")]).await.expect("latest bars are read"), [Some(last)]);
}
