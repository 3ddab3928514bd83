//! Everything the vendor has is stored, value by value; a second run does nothing.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::queue::Pause;
use barkeep_orchestrator::types::{Hours, TimeRange, Timeframe};
use barkeep_orchestrator::{Clock, Idle, Orchestrator, Settings};
use tests::{Kind, Scene, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    every_bar_of_the_vendor_is_stored_value_by_value,
    a_second_backfill_makes_no_request,
    a_backfill_that_lacks_nothing_leaves_the_slices_of_others_alone,
    a_backfill_ends_though_slices_of_others_are_paused,
    f18_ticks_without_progress_leave_the_queue_as_it_was,
    an_overlapping_definition_fetches_only_what_is_new,
    all_timeframes_are_filled,
);

fn span(start: &str, end: &str) -> TimeRange {
    TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
}

fn quarter() -> TimeRange {
    span("2024-01-02T00:00:00Z", "2024-03-29T00:00:00Z")
}

fn definition(name: &str, symbols: &[&str], timeframe: Timeframe, window: TimeRange) -> Definition {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new(name, symbols, vec![timeframe], Window::Fixed(window))
}

async fn simulator() -> AlpacaSim {
    AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap()
}

async fn orchestrator(scene: &Scene, simulator: &AlpacaSim) -> Orchestrator {
    Orchestrator::new(provider(simulator), Nyse, scene.backend().await)
}

/// Compares the store with the market, within the hours that were asked for.
async fn assert_filled(orchestrator: &Orchestrator, market: &Market, definition: &Definition, window: TimeRange) {
    for series in definition.series() {
        let stored = bars_of(&*orchestrator.backend().store, &series, window).await;
        let mut wanted = 0;
        for span in Nyse.spans(series.timeframe, definition.hours, window) {
            let truth = market.truth(&series, span);
            let stored: Vec<_> = stored.iter().copied().filter(|bar| span.contains(bar.start)).collect();
            assert_eq!(stored, truth, "{series} {span}");
            wanted += truth.len();
        }
        assert!(wanted > 0, "{series} has bars in {window}");
    }
}

async fn every_bar_of_the_vendor_is_stored_value_by_value(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator).await;
    let definition = definition("tech", &["AAPL", "MSFT", "NVDA"], Timeframe::H1, quarter());
    let report = orchestrator.backfill(std::slice::from_ref(&definition), &CancellationToken::new()).await.unwrap();
    assert!(report.complete && report.failed.is_empty(), "{report:?}");
    assert_eq!((report.series, report.gaps), (3, 3));
    assert_eq!(report.requests, simulator.requests().bars);
    assert!(report.least_requests > 0 && report.requests <= 2 * report.least_requests, "{report:?}");
    assert_filled(&orchestrator, simulator.market(), &definition, quarter()).await;
}

async fn a_second_backfill_makes_no_request(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let definition = definition("tech", &["AAPL", "MSFT"], Timeframe::H1, quarter());
    let first = orchestrator(&scene, &simulator).await;
    assert!(first.backfill(std::slice::from_ref(&definition), &CancellationToken::new()).await.unwrap().complete);
    let asked = simulator.requests().total;
    let second = orchestrator(&scene, &simulator).await;
    let report = second.backfill(&[definition], &CancellationToken::new()).await.unwrap();
    assert_eq!((report.complete, report.gaps, report.requests, report.bars_written), (true, 0, 0, 0));
    assert_eq!(simulator.requests().total, asked);
}

async fn a_backfill_that_lacks_nothing_leaves_the_slices_of_others_alone(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator).await;
    let (mine, stop) = (definition("mine", &["AAPL"], Timeframe::H1, quarter()), CancellationToken::new());
    assert!(orchestrator.backfill(std::slice::from_ref(&mine), &stop).await.unwrap().complete);
    orchestrator.batch(&definition("others", &["MSFT", "NVDA"], Timeframe::H1, quarter())).await.unwrap();
    let (asked, queued) = (simulator.requests().total, orchestrator.backend().inspect.live("slice").await.unwrap());
    assert!(!queued.is_empty());
    // Whoever began one here would drop it at once, every time.
    for _ in 0..5 {
        let report = orchestrator.backfill(std::slice::from_ref(&mine), &stop).await.unwrap();
        assert_eq!((report.complete, report.gaps, report.requests), (true, 0, 0));
    }
    assert_eq!(simulator.requests().total, asked);
    assert_eq!(orchestrator.backend().inspect.live("slice").await.unwrap(), queued);
}

async fn a_backfill_ends_though_slices_of_others_are_paused(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator).await;
    orchestrator.batch(&definition("others", &["MSFT", "NVDA"], Timeframe::H1, quarter())).await.unwrap();
    orchestrator.backend().control.pause(&Pause::Group("others".into())).await.unwrap();
    let mine = definition("mine", &["AAPL"], Timeframe::H1, quarter());
    let stop = CancellationToken::new();
    let filled = tokio::time::timeout(Duration::from_secs(20), orchestrator.backfill(&[mine], &stop)).await;
    assert!(filled.expect("it waits for its own alone").unwrap().complete);
}

async fn f18_ticks_without_progress_leave_the_queue_as_it_was(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    let monday = Clock::Fixed("2024-03-11T18:00:00Z".parse().unwrap());
    let settings = Settings::default().with_clock(monday);
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, backend.clone(), settings);
    let moving =
        Definition { window: Window::LastDays(30), ..definition("moving", &["AAPL"], Timeframe::M15, quarter()) };
    backend.catalog.upsert(&moving, Default::default()).await.unwrap();
    let first = orchestrator.tick().await.unwrap();
    assert!(first.jobs_dispatched > 0 && first.idle.is_none(), "{first:?}");
    let live = backend.inspect.live("slice").await.unwrap();
    for _ in 0..10 {
        let report = orchestrator.tick().await.unwrap();
        assert_eq!((report.jobs_dispatched, report.gaps, report.idle), (0, 0, Some(Idle::InFlight)));
        assert_eq!(backend.inspect.live("slice").await.unwrap(), live);
    }
}

async fn an_overlapping_definition_fetches_only_what_is_new(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator).await;
    let february = span("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
    let small = definition("small", &["AAPL"], Timeframe::D1, february);
    let large = definition("large", &["AAPL"], Timeframe::D1, quarter());
    let stop = CancellationToken::new();
    assert!(orchestrator.backfill(std::slice::from_ref(&small), &stop).await.unwrap().complete);
    let report = orchestrator.backfill(&[large.clone(), small], &stop).await.unwrap();
    assert!(report.complete);
    assert_eq!(report.gaps, 2, "before February and after it");
    assert_filled(&orchestrator, simulator.market(), &large, quarter()).await;
}

async fn all_timeframes_are_filled(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator).await;
    let window = span("2024-03-01T05:00:00Z", "2024-04-01T04:00:00Z");
    let mut all = definition("all", &["AAPL"], Timeframe::M1, window);
    all.timeframes = Timeframe::ALL.to_vec();
    all.hours = Hours::Extended;
    let report = orchestrator.backfill(std::slice::from_ref(&all), &CancellationToken::new()).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_filled(&orchestrator, simulator.market(), &all, window).await;
}
