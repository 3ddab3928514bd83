//! What every store must do: one function a promise, each given an empty store.
//!
//! [`store_conformance!`](crate::store_conformance) lists them once, so that no backend can leave one out.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: that is how a test says so")]

mod coverage;
mod history;
mod pages;
mod reading;
mod traces;
mod upkeep;

use barkeep_types::{Adjustment, Bar, BarFault, Feed, Grid, Series, TimeRange, Timeframe};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use futures::future::try_join_all;

use crate::{Commit, Committed, Error, Span, State, Store, StoreExt, Summary};

pub use coverage::*;
pub use history::*;
pub use pages::*;
pub use reading::*;
pub use traces::*;
pub use upkeep::*;

/// Makes a test of every promise. The expression opens an empty store, and gives it with whatever must outlive it.
///
/// ```text
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
            bars_out_of_reach_are_refused,
            a_proof_beyond_what_was_asked_is_an_error,
            a_page_of_nothing_is_nothing,
            a_page_of_many_series_is_one_commit,
            series_that_differ_in_anything_are_kept_apart,
            answers_come_in_the_order_of_the_question,
            coverage_is_read_of_a_range_alone,
            bars_are_limited_and_half_open,
            the_latest_bar_of_each_series,
            summaries_tell_how_much_there_is,
            values_survive_to_the_last_bit,
            a_stream_has_every_bar_of_many_series,
            bars_are_put_together_as_they_are_read,
            what_coverage_shows_leaves_no_other_trace,
            what_coverage_does_not_show_is_noted_by_year,
            a_moment_is_passed_by_the_store_that_has_its_page,
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

/// As [`store_conformance!`](crate::store_conformance), for what a store promises that is a [`History`](crate::History)
/// too. The second expression takes the store and gives an instant of its clock that is after every commit before, and
/// before every commit after.
#[macro_export]
macro_rules! history_conformance {
    ($open:expr, $now:expr) => {
        $crate::history_conformance!(
            $open,
            $now,
            bars_are_read_as_they_were_known,
            nothing_is_told_of_a_time_without_history,
        );
    };
    ($open:expr, $now:expr, $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (store, _outlives) = $open;
                $crate::conformance::$promise(&store, async || $now(&store).await).await;
                $crate::conformance::bars_and_coverage_agree(&store).await;
            }
        )+
    };
}

/// As [`store_conformance!`](crate::store_conformance), for what a store promises that is an [`Upkeep`](crate::Upkeep)
/// and a [`History`](crate::History) too.
#[macro_export]
macro_rules! upkeep_conformance {
    ($open:expr) => {
        $crate::store_conformance!(
            $open,
            what_starts_before_is_forgotten_with_its_coverage,
            a_page_that_was_forgotten_is_stored_anew,
            years_are_forgotten,
            former_values_are_forgotten_with_their_bars,
            instants_out_of_reach_are_bounds_too,
            what_is_gone_is_noted_by_year,
            writers_go_on_while_the_past_is_forgotten,
        );
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
    store.coverage(&[series(symbol)], TimeRange::ALWAYS).await.expect("coverage is read").remove(0)
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
