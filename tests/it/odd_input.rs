//! Input that nobody wants, and that comes all the same, while it runs.

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::queue::{Claim, NewJob, Release};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Idle, Orchestrator, ProgressEvent, Settings, SliceJob};
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    two_definitions_that_overlap_fetch_every_bar_once,
    a_definition_deleted_while_its_slices_run_leaves_nothing_behind,
    settings_out_of_range_are_refused_before_anything_begins,
    slices_of_a_newer_program_are_left_to_it,
    what_a_worker_fetched_whose_lease_was_lost_is_not_written,
    f09_a_broken_definition_is_named_and_the_others_are_planned,
);

fn month() -> TimeRange {
    TimeRange::new("2024-03-01T05:00:00Z".parse().unwrap(), "2024-03-30T04:00:00Z".parse().unwrap()).unwrap()
}

fn definition(name: &str, symbols: &[&str]) -> Definition {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new(name, symbols, vec![Timeframe::D1], Window::Fixed(month()))
}

async fn scene(kind: Kind) -> (Scene, AlpacaSim, Orchestrator) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    (scene, simulator, orchestrator)
}

async fn two_definitions_that_overlap_fetch_every_bar_once(kind: Kind) {
    let (_scene, simulator, orchestrator) = scene(kind).await;
    for definition in [definition("one", &["AAPL", "MSFT"]), definition("two", &["MSFT", "NVDA"])] {
        orchestrator.backend().catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    }
    orchestrator.tick().await.unwrap();
    let live = orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap();
    let mut asked: Vec<_> = live
        .iter()
        .flat_map(|job| SliceJob::read(&job.payload).unwrap().symbols)
        .map(|symbol| symbol.to_string())
        .collect();
    asked.sort();
    assert_eq!(asked, ["AAPL", "MSFT", "NVDA"]);
    let both = [definition("one", &["AAPL", "MSFT"]), definition("two", &["MSFT", "NVDA"])];
    let report = orchestrator.backfill(&both, &CancellationToken::new()).await.unwrap();
    assert_eq!((report.complete, report.bars_written), (true, 3 * 20));
    assert_eq!(simulator.requests().bars, live.len() as u64);
}

async fn a_definition_deleted_while_its_slices_run_leaves_nothing_behind(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let backend = orchestrator.backend();
    backend.catalog.upsert(&definition("gone", &["AAPL"]), Narrowing::Refuse).await.unwrap();
    orchestrator.tick().await.unwrap();
    let running = backend.queue.claim(&Claim::new(SliceJob::KIND, "a worker")).await.unwrap();
    assert_eq!(backend.catalog.remove(&"gone".parse().unwrap()).await.unwrap(), ["gone"]);
    assert_eq!(orchestrator.tick().await.unwrap().idle, Some(Idle::NothingEnabled));
    // Its worker dies; the slice is paid for already, or nobody's: it is done, and nothing more comes after it.
    backend.queue.release(&[Release::new(running[0].key())]).await.unwrap();
    let other = definition("other", &["AAPL"]);
    let report = orchestrator.backfill(&[other], &CancellationToken::new()).await.unwrap();
    assert_eq!((report.complete, report.bars_written), (true, 20));
    let status = orchestrator.status().await.unwrap();
    assert_eq!((status.slices.live(), status.slices.failed, status.slices.succeeded), (0, 0, 1));
}

async fn settings_out_of_range_are_refused_before_anything_begins(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, AlpacaSim::options().start().await.unwrap());
    for settings in [Settings::default().with_workers(0), Settings::default().with_lease(std::time::Duration::ZERO)] {
        let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, scene.backend().await, settings);
        let stop = CancellationToken::new();
        for error in [
            orchestrator.tick().await.unwrap_err(),
            orchestrator.backfill(&[definition("a", &["AAPL"])], &stop).await.unwrap_err(),
            orchestrator.run(&stop).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), "VALIDATION_ERROR", "{error}");
        }
    }
    assert_eq!(simulator.requests().total, 0);
}

async fn slices_of_a_newer_program_are_left_to_it(kind: Kind) {
    let (_scene, simulator, orchestrator) = scene(kind).await;
    let newer = NewJob::new(SliceJob::KIND, serde_json::json!({ "version": 1_000, "wants": "something new" }));
    orchestrator.backend().queue.enqueue(&[newer.with_key("newer")]).await.unwrap();
    let nonsense = NewJob::new(SliceJob::KIND, serde_json::json!({ "symbols": 7 })).with_key("nonsense");
    orchestrator.backend().queue.enqueue(&[nonsense]).await.unwrap();
    let stop = CancellationToken::new();
    let looked_at = async {
        // One ends for good; the other waits for somebody who knows what it means.
        loop {
            let counts = orchestrator.backend().inspect.counts().await.unwrap()[SliceJob::KIND];
            if (counts.failed, counts.waiting, counts.running) == (1, 1, 0) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    let run = async { tokio::join!(orchestrator.run(&stop), looked_at).0 };
    tokio::time::timeout(std::time::Duration::from_secs(60), run).await.expect("both are looked at").unwrap();
    let failed = orchestrator.status().await.unwrap().failed;
    assert_eq!((failed.len(), failed[0].code.as_deref()), (1, Some("VALIDATION_ERROR")));
    assert_eq!(simulator.requests().bars, 0);
}

async fn f09_a_broken_definition_is_named_and_the_others_are_planned(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let backend = orchestrator.backend();
    let broken = Definition { batch_size: Some(1_000_000), ..definition("broken", &["MSFT"]) };
    for definition in [broken, definition("sound", &["AAPL"])] {
        backend.catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    }
    let report = orchestrator.tick().await.unwrap();
    let errors: Vec<_> = report.errors.iter().map(|(name, error)| (name.as_str(), error.code())).collect();
    assert_eq!(errors, [("broken", "VALIDATION_ERROR")]);
    assert_eq!((report.scanned, report.jobs_dispatched), (1, 1));
}

async fn what_a_worker_fetched_whose_lease_was_lost_is_not_written(kind: Kind) {
    let scene = Scene::on(kind).await;
    let latency = std::time::Duration::from_secs(2);
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_latency(latency).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    orchestrator.backend().catalog.upsert(&definition("one", &["AAPL"]), Narrowing::Refuse).await.unwrap();
    let (stop, mut events) = (CancellationToken::new(), orchestrator.subscribe());
    let robbed = async {
        while !matches!(events.recv().await.unwrap(), ProgressEvent::SliceStarted { .. }) {}
        // Somebody else has the job by now, and this worker does not know.
        scene
            .execute(match kind {
                Kind::Sqlite => "UPDATE queue_lease SET token = lower(hex(randomblob(16)))",
                Kind::Postgres => "UPDATE queue_lease SET token = gen_random_uuid()",
            })
            .await;
        loop {
            match events.recv().await.unwrap() {
                ProgressEvent::SliceLost => break,
                ProgressEvent::PageCommitted { .. } => panic!("a page was written without a lease"),
                _ => {}
            }
        }
        stop.cancel();
    };
    let run = async { tokio::join!(orchestrator.run(&stop), robbed).0 };
    tokio::time::timeout(std::time::Duration::from_secs(60), run).await.expect("it notices").unwrap();
    assert_eq!(simulator.requests().bars, 2, "the check at the start, and the slice");
    assert!(orchestrator.backend().store.series().await.unwrap().is_empty());
}
