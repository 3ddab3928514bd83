//! A slice that is interrupted between two pages, in the middle of a session, and gone on with: what is merely not whole yet is
//! not taken for a sparse session, and one that is sparse is found once, on whichever side of the interruption it is.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Listing, Market, WireFault};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::queue::Backoff;
use barkeep_orchestrator::store::State;
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Orchestrator, Settings, SliceJob};
use tests::{Child, Kind, Outcome, Scene, Vendor, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::{FROM, comes_to_the_fault, window};

/// A test of each on either kind of database.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(tests::Kind::Sqlite).await; })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(tests::Kind::Postgres).await; })* }
    };
}

on_both_databases!(
    a_sparse_session_of_a_slice_that_nothing_happens_to_is_found_once,
    a_sparse_session_of_a_slice_whose_worker_is_killed_is_found_once,
    a_sparse_session_of_a_slice_whose_worker_is_stopped_is_found_once,
    a_sparse_session_of_a_slice_that_the_vendor_fails_is_found_once,
);

const WEEKS: u64 = 1;
/// A day on which both trade little.
const SPARSE: &str = "2024-02-07";
const SYMBOLS: [&str; 2] = ["AAPL", "AMD"];

fn definition() -> Definition {
    let symbols = SYMBOLS.map(|symbol| symbol.parse().unwrap()).to_vec();
    Definition::new("job", symbols, vec![Timeframe::M15], Window::Fixed(window(WEEKS)))
}

/// A page ends after some two sessions, and mostly in the middle of one.
async fn vendor() -> Vendor {
    let at = |time: &str| format!("{SPARSE}T{time}Z").parse().unwrap();
    let halt = TimeRange::new(at("14:30:00"), at("19:00:00")).unwrap();
    let listing = |symbol: &str| Listing::new(symbol.parse().unwrap()).with_halt(halt);
    let market = SYMBOLS.into_iter().map(listing).fold(Market::empty(1), Market::with_listing);
    let simulator = AlpacaSim::options().with_market(market).with_source_bars_a_page(Some(1500)).start().await.unwrap();
    Vendor { simulator }
}

fn start(scene: &Scene, vendor: &Vendor) -> Child {
    let (symbols, until) = (SYMBOLS.join(","), window(WEEKS).end().to_rfc3339());
    let what = ["--symbols", &symbols, "--timeframe", "m15", "--from", FROM, "--to", &until];
    let how = ["--live", "--json", "--workers", "1", "--database", scene.url()];
    vendor.start_child(env!("CARGO_BIN_EXE_backfill"), &[&what[..], &how].concat())
}

/// Starts a job, and waits until it has stored so many pages of its slice and asked for the next one.
async fn stored(pages: usize, scene: &Scene, vendor: &Vendor) -> Child {
    drop(scene.backend().await);
    vendor.simulator.inject(Injection::of(WireFault::NoAnswer).after(pages));
    let mut child = start(scene, vendor);
    comes_to_the_fault(&mut child, vendor).await;
    child
}

/// Goes on to the end, and finds the sparse session once for each symbol, and no other.
async fn goes_on(scene: &Scene, vendor: &Vendor) -> Outcome {
    vendor.simulator.clear_faults();
    let outcome = start(scene, vendor).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    found_the_sparse_one(scene, vendor).await;
    let again = start(scene, vendor).end().await;
    assert_eq!((again.code, &again.json()["requests"]), (Some(0), &0.into()), "{again:?}");
    found_the_sparse_one(scene, vendor).await;
    outcome
}

async fn found_the_sparse_one(scene: &Scene, vendor: &Vendor) {
    let waiting = scene.backend().await.inspect.live(SliceJob::RECHECK).await.unwrap();
    let slices = waiting.iter().map(|job| SliceJob::read(&job.payload).unwrap());
    let found: Vec<(String, usize)> = slices.map(|slice| (day_of(slice.range), slice.symbols.len())).collect();
    assert_eq!(found, [(SPARSE.to_owned(), SYMBOLS.len())]);
    let (series, store) = (definition().series().collect::<Vec<_>>(), scene.backend().await.store);
    for (series, spans) in series.iter().zip(store.coverage(&series, window(WEEKS)).await.unwrap()) {
        let doubted = spans.iter().filter(|span| span.state == State::Suspect).map(|span| day_of(span.range));
        assert_eq!(doubted.collect::<Vec<_>>(), [SPARSE], "{series}");
        let stored = bars_of(&*store, series, window(WEEKS)).await;
        // The vendor has hours before the open and after the close, too, which nobody asked for.
        let truth = vendor.simulator.market().truth(series, window(WEEKS));
        assert!(stored.len() > 100 && stored.iter().all(|bar| truth.contains(bar)), "{} bars", stored.len());
    }
}

fn day_of(range: TimeRange) -> String {
    range.start().date_naive().to_string()
}

async fn a_sparse_session_of_a_slice_that_nothing_happens_to_is_found_once(kind: Kind) {
    let (scene, vendor) = (Scene::on(kind).await, vendor().await);
    let done = goes_on(&scene, &vendor).await.json();
    assert!(done["slices"] == 1 && done["requests"].as_u64() > Some(3), "one slice of more than three pages: {done}");
}

async fn a_sparse_session_of_a_slice_whose_worker_is_killed_is_found_once(kind: Kind) {
    for pages in 1..=3 {
        let (scene, vendor) = (Scene::on(kind).await, vendor().await);
        stored(pages, &scene, &vendor).await.kill().await;
        goes_on(&scene, &vendor).await;
    }
}

async fn a_sparse_session_of_a_slice_whose_worker_is_stopped_is_found_once(kind: Kind) {
    let (scene, vendor) = (Scene::on(kind).await, vendor().await);
    let child = stored(2, &scene, &vendor).await;
    child.signal("TERM");
    assert_eq!(child.end().await.code, Some(130));
    goes_on(&scene, &vendor).await;
}

async fn a_sparse_session_of_a_slice_that_the_vendor_fails_is_found_once(kind: Kind) {
    let (scene, vendor) = (Scene::on(kind).await, vendor().await);
    vendor.simulator.inject(Injection::of(AnswerFault::Status(500)).after(2));
    let settings = Settings::default().with_workers(1).with_backoff(Backoff::new(Duration::from_millis(50)));
    let running = Orchestrator::with_settings(provider(&vendor.simulator), Nyse, scene.backend().await, settings);
    let report = running.backfill(&[definition()], &CancellationToken::new()).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(scene.count("SELECT count(*) FROM failures_v1").await, 1);
    found_the_sparse_one(&scene, &vendor).await;
    goes_on(&scene, &vendor).await;
}
