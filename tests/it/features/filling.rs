//! Claims, workers and rows: F20 to F24, F31 to F33, F40 to F43, F46, F51, F60.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Market, PageFault};
use barkeep_orchestrator::catalog::{Definition, Window, presets};
use barkeep_orchestrator::planner::Reason;
use barkeep_orchestrator::queue::{Claim, Completion, NewJob, Outcome, Release, Worker};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{ProgressEvent, SliceJob};
use serde_json::json;
use tests::{Kind, Scene, bars_of, check, everything};
use tokio_util::sync::CancellationToken;

use super::{Stage, definition, march, on_both_databases, series, span};

on_both_databases!(
    f20_eight_workers_claim_a_thousand_jobs_once_each,
    f21_an_empty_queue_gives_nothing_and_a_worker_can_be_stopped,
    f22_a_claimed_slice_says_whose_it_is_and_what_it_asks_for,
    f24_five_slow_slices_are_fetched_at_once,
    f31_batched_or_one_by_one_the_same_bars_are_stored,
    f32_pages_split_anywhere_and_an_empty_one_lose_no_bar,
    f33_the_cost_of_a_job_is_what_the_vendor_saw,
    f40_fetched_again_the_rows_stay_and_their_values_are_the_vendors,
    f41_progress_rises_page_by_page_to_the_end,
    f43_every_row_says_when_it_was_fetched,
    f46_a_slice_ends_once_and_its_times_are_kept,
    f51_all_that_a_page_would_show_can_be_read,
    f60_twenty_symbols_of_two_years_are_filled_and_then_nothing_is_asked,
);

async fn f20_eight_workers_claim_a_thousand_jobs_once_each(kind: Kind) {
    let queue = Scene::on(kind).await;
    let backend = queue.backend().await;
    let jobs: Vec<_> =
        (0..1_000).map(|number| NewJob::new("row", json!(number)).with_group("one definition")).collect();
    backend.queue.enqueue(&jobs).await.unwrap();
    let workers = (0..8).map(|worker| {
        let queue = Arc::clone(&backend.queue);
        tokio::spawn(async move {
            let (claim, mut claimed) = (Claim::new("row", format!("{worker}")).with_limit(10), Vec::new());
            loop {
                let leases = queue.claim(&claim).await.unwrap();
                if leases.is_empty() {
                    return claimed;
                }
                let done: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
                assert!(queue.complete(&done).await.unwrap().is_empty(), "no lease was lost");
                claimed.extend(leases.into_iter().map(|lease| lease.id));
            }
        })
    });
    let mut claimed = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        claimed.extend(worker.await.unwrap());
    }
    assert_eq!(claimed.len(), 1_000);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>().len(), 1_000, "each once");
}

async fn f21_an_empty_queue_gives_nothing_and_a_worker_can_be_stopped(kind: Kind) {
    let scene = Scene::on(kind).await;
    let backend = scene.backend().await;
    assert!(backend.queue.claim(&Claim::new("row", "somebody").with_limit(10)).await.unwrap().is_empty());
    let worker = Worker::new(Arc::clone(&backend.queue), "row", async |job: barkeep_orchestrator::queue::Job| {
        barkeep_orchestrator::queue::Ending::from(job.done())
    });
    let stop = CancellationToken::new();
    stop.cancel();
    let worked = tokio::time::timeout(Duration::from_secs(30), worker.run(stop)).await.expect("it ends").unwrap();
    assert_eq!(worked.done, 0);
}

async fn f22_a_claimed_slice_says_whose_it_is_and_what_it_asks_for(kind: Kind) {
    let stage = Stage::on(kind).await;
    let batch = Definition { name: "US_BATCH_1".into(), ..definition(&["AAPL", "AMD", "MSFT"], Timeframe::D1) };
    stage.keep(&batch).await;
    stage.orchestrator.tick().await.unwrap();
    let claim = Claim::new(SliceJob::KIND, "somebody");
    let lease = stage.orchestrator.backend().queue.claim(&claim).await.unwrap().swap_remove(0);
    let slice = SliceJob::read(&lease.payload).unwrap();
    assert_eq!(lease.group.as_deref(), Some("US_BATCH_1"));
    assert_eq!((slice.symbols.as_slice(), slice.timeframe), (batch.symbols.as_slice(), Timeframe::D1));
    stage.orchestrator.backend().queue.release(&[Release::new(lease.key())]).await.unwrap();
    assert!(stage.fill(&batch).await.complete);
    // The name of a definition is never taken for a symbol.
    assert!(stage.simulator.served().iter().all(|target| !target.contains("US_BATCH_1")));
}

async fn f24_five_slow_slices_are_fetched_at_once(kind: Kind) {
    let options = AlpacaSim::options().with_market(Market::new(1)).with_latency(Duration::from_millis(500));
    let stage = Stage::with(kind, options).await;
    let symbols = ["AAPL", "AMD", "AMZN", "META", "MSFT"];
    let one_by_one = Definition { batch_size: Some(1), ..definition(&symbols, Timeframe::D1) };
    let mut events = stage.orchestrator.subscribe();
    assert!(stage.fill(&one_by_one).await.complete);
    let (mut running, mut most) = (0, 0);
    while let Ok(event) = events.try_recv() {
        running += match event {
            ProgressEvent::SliceStarted { .. } => 1,
            ProgressEvent::SliceDone { .. } => -1,
            _ => 0,
        };
        most = most.max(running);
    }
    assert_eq!((running, most), (0, 5));
}

async fn f31_batched_or_one_by_one_the_same_bars_are_stored(kind: Kind) {
    let symbols = ["AAPL", "AMD", "MSFT"];
    let mut stored = Vec::new();
    for batch_size in [None, Some(1)] {
        let stage = Stage::on(kind).await;
        let days = Definition { batch_size, ..definition(&symbols, Timeframe::D1) };
        assert!(stage.fill(&days).await.complete);
        stored.push(everything(&*stage.orchestrator.backend().store).await);
    }
    assert_eq!(stored[0].len(), 3);
    assert_eq!(stored[0], stored[1]);
}

async fn f32_pages_split_anywhere_and_an_empty_one_lose_no_bar(kind: Kind) {
    let options = AlpacaSim::options().with_market(Market::new(1)).with_source_bars_a_page(Some(700));
    let stage = Stage::with(kind, options).await;
    stage.simulator.inject(PageFault::EmptyPageWithToken);
    let hours = definition(&["AAPL", "AMD", "MSFT"], Timeframe::H1);
    assert!(stage.fill(&hours).await.complete);
    assert!(stage.simulator.requests().bars > 20, "the pages were short");
    check(&stage.scene, stage.simulator.market(), &hours, march()).await;
}

async fn f33_the_cost_of_a_job_is_what_the_vendor_saw(kind: Kind) {
    let stage = Stage::on(kind).await;
    stage.simulator.inject(AnswerFault::Status(503));
    let hours = definition(&["AAPL", "MSFT"], Timeframe::M15);
    let report = stage.fill(&hours).await;
    let seen = stage.simulator.requests().total;
    let inspect = &stage.orchestrator.backend().inspect;
    let ledger = inspect.ledger(inspect.now().await.unwrap()).await.unwrap();
    assert_eq!(report.requests, seen);
    assert_eq!(ledger.iter().map(|line| line.cost).sum::<u64>(), seen, "{ledger:?}");
}

async fn f40_fetched_again_the_rows_stay_and_their_values_are_the_vendors(kind: Kind) {
    let stage = Stage::on(kind).await;
    let days = definition(&["AAPL"], Timeframe::D1);
    let aapl = series("AAPL", Timeframe::D1);
    stage.simulator.inject(PageFault::ConflictingBars);
    assert!(stage.fill(&days).await.complete);
    let (store, market) = (&stage.orchestrator.backend().store, stage.simulator.market());
    let truth = market.truth(&aapl, march());
    let before = bars_of(&**store, &aapl, march()).await;
    assert!(before.len() == truth.len() && before != truth, "a share more each");
    store.suspect(&aapl, march()).await.unwrap();
    assert!(stage.fill(&days).await.complete);
    assert_eq!(bars_of(&**store, &aapl, march()).await, truth);
}

async fn f41_progress_rises_page_by_page_to_the_end(kind: Kind) {
    let options = AlpacaSim::options().with_market(Market::new(1)).with_source_bars_a_page(Some(2_000));
    let stage = Stage::with(kind, options).await;
    let mut events = stage.orchestrator.subscribe();
    let report = stage.fill(&definition(&["AAPL", "MSFT"], Timeframe::M15)).await;
    let mut pages = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let ProgressEvent::PageCommitted { bars_written, .. } = event {
            pages.push(bars_written);
        }
    }
    assert!(pages.len() >= 3, "{pages:?}");
    assert_eq!(pages.iter().sum::<u64>(), report.bars_written);
    let totals = stage.orchestrator.snapshot().totals;
    assert_eq!((totals.slices, totals.bars_written), (totals.slices_planned, report.bars_written));
}

async fn f43_every_row_says_when_it_was_fetched(kind: Kind) {
    let stage = Stage::on(kind).await;
    stage.fill(&definition(&["AAPL", "MSFT"], Timeframe::D1)).await;
    let without = "SELECT count(*) FROM bars_v1 WHERE fetched_at IS NULL";
    let with = "SELECT count(*) FROM bars_v1 WHERE fetched_at IS NOT NULL";
    assert_eq!((stage.scene.count(without).await, stage.scene.count(with).await), (0, 40));
}

async fn f46_a_slice_ends_once_and_its_times_are_kept(kind: Kind) {
    let stage = Stage::on(kind).await;
    let inspect = &stage.orchestrator.backend().inspect;
    stage.keep(&definition(&["AAPL"], Timeframe::D1)).await;
    stage.orchestrator.tick().await.unwrap();
    let job = inspect.live(SliceJob::KIND).await.unwrap().swap_remove(0);
    stage.simulator.inject(AnswerFault::Status(500));
    stage.fill(&definition(&["AAPL"], Timeframe::D1)).await;
    let ended = inspect.finished(&[job.id]).await.unwrap().swap_remove(0);
    assert_eq!((ended.outcome, ended.failures), (Outcome::Succeeded, 1));
    assert!(ended.created_at <= ended.finished_at);
    let tries = inspect.attempts(job.id).await.unwrap();
    assert_eq!(tries.iter().map(|attempt| attempt.attempt).collect::<Vec<_>>(), [1]);
    assert!(tries[0].started_at <= tries[0].finished_at && tries[0].code == "SERVICE_UNAVAILABLE", "{tries:?}");
}

async fn f51_all_that_a_page_would_show_can_be_read(kind: Kind) {
    let stage = Stage::on(kind).await;
    let days = definition(&["AAPL", "MSFT"], Timeframe::D1);
    stage.keep(&days).await;
    stage.orchestrator.tick().await.unwrap();
    assert_eq!(stage.orchestrator.status().await.unwrap().slices.ready, 1, "the queue");
    let half = span("2024-03-01T00:00:00Z", "2024-03-16T00:00:00Z");
    assert!(stage.fill(&Definition { window: Window::Fixed(half), ..days.clone() }).await.complete);
    for series in days.series() {
        let runs = stage.orchestrator.explain(&days, &series).await.unwrap();
        let bars = |reason| runs.iter().filter(|run| run.reason == reason).map(|run| run.bars).sum::<u32>();
        // The slice of the whole month was taken along.
        assert_eq!(bars(Reason::Covered) + bars(Reason::Live) + bars(Reason::Missing), 20, "percent of a symbol");
    }
    let snapshot = stage.orchestrator.snapshot();
    assert!(snapshot.requests_a_second() > 0.0 && snapshot.totals.bars_written > 0, "throughput");
    assert!(stage.orchestrator.status().await.unwrap().failed.is_empty(), "failures");
}

async fn f60_twenty_symbols_of_two_years_are_filled_and_then_nothing_is_asked(kind: Kind) {
    let stage = Stage::on(kind).await;
    let window =
        TimeRange::new("2022-01-03T00:00:00Z".parse().unwrap(), "2024-01-03T00:00:00Z".parse().unwrap()).unwrap();
    let preset = Definition { window: Window::Fixed(window), ..presets::tech20() };
    let report = stage.fill(&preset).await;
    assert!(report.complete && report.failed.is_empty(), "{report:?}");
    check(&stage.scene, stage.simulator.market(), &preset, window).await;
    let asked = stage.simulator.requests().total;
    let again = stage.fill(&preset).await;
    assert_eq!((again.complete, again.requests, stage.simulator.requests().total), (true, 0, asked));
}
