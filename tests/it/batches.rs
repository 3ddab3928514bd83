//! Definitions of many symbols, asked for in parts.

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::queue::{Claim, Release};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Batch, Orchestrator, SliceJob};
use tests::{Kind, Scene, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    f25_sixty_one_symbols_are_a_batch_of_fifty_and_one_of_eleven,
    f26_three_symbols_are_one_job_and_the_same_again_is_none,
    f27_five_thousand_symbols_are_a_hundred_batches_and_the_dates_are_kept,
    f28_a_batch_may_be_as_large_as_the_vendor_takes_and_no_larger,
    f29_definitions_that_make_no_sense_change_nothing,
    f30_a_job_says_what_came_of_each_symbol,
    f59_from_batches_to_single_symbols_and_back_nothing_is_lost_or_doubled,
);

fn month() -> TimeRange {
    TimeRange::new("2024-03-01T05:00:00Z".parse().unwrap(), "2024-03-30T04:00:00Z".parse().unwrap()).unwrap()
}

fn numbered(count: usize) -> Definition {
    let symbols = (0..count).map(|number| {
        let letter = |place: u32| char::from(b'A' + u8::try_from(number / 26_usize.pow(place) % 26).unwrap());
        [letter(2), letter(1), letter(0)].iter().collect::<String>().parse().unwrap()
    });
    Definition::new("batch", symbols.collect(), vec![Timeframe::D1], Window::Fixed(month()))
}

async fn scene(kind: Kind) -> (Scene, AlpacaSim, Orchestrator) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    (scene, simulator, orchestrator)
}

async fn live(orchestrator: &Orchestrator) -> Vec<SliceJob> {
    let live = orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap();
    live.iter().map(|job| SliceJob::read(&job.payload).unwrap()).collect()
}

async fn f25_sixty_one_symbols_are_a_batch_of_fifty_and_one_of_eleven(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let report = orchestrator.batch(&Definition { batch_size: Some(50), ..numbered(61) }).await.unwrap();
    let sizes: Vec<_> =
        report.batches.iter().map(|batch| (batch.batch_number, batch.total_batches, batch.symbols)).collect();
    assert_eq!(sizes, [(1, 2, 50), (2, 2, 11)]);
    let mut jobs: Vec<_> = live(&orchestrator).await.iter().map(|slice| (slice.batch, slice.symbols.len())).collect();
    jobs.sort_by_key(|(batch, _)| batch.map(|batch| batch.number));
    let batch = |number| Some(Batch { number, total: 2 });
    assert_eq!(jobs, [(batch(1), 50), (batch(2), 11)]);
}

async fn f26_three_symbols_are_one_job_and_the_same_again_is_none(kind: Kind) {
    let (_scene, simulator, orchestrator) = scene(kind).await;
    let definition = numbered(3);
    let report = orchestrator.batch(&definition).await.unwrap();
    assert_eq!((report.jobs_created, report.total_symbols, report.batches.len()), (1, 3, 1));
    assert_eq!((report.timeframes.as_slice(), report.estimated_api_calls), (&[Timeframe::D1][..], 1));
    assert_eq!(report.efficiency_gain, 3.0);
    assert!(report.to_string().contains("3.000x fewer"), "{report}");
    let again = orchestrator.batch(&definition).await.unwrap();
    assert_eq!((again.jobs_created, again.estimated_api_calls, again.efficiency_gain), (0, 0, 1.0));
    assert_eq!(live(&orchestrator).await.len(), 1);
    assert_eq!(simulator.requests().total, 0, "nothing is asked before a worker does");
}

async fn f27_five_thousand_symbols_are_a_hundred_batches_and_the_dates_are_kept(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let report = orchestrator.batch(&Definition { batch_size: Some(50), ..numbered(5_000) }).await.unwrap();
    assert_eq!((report.total_symbols, report.batches.len(), report.jobs_created), (5_000, 100, 100));
    let jobs = live(&orchestrator).await;
    assert_eq!(jobs.iter().map(|slice| slice.symbols.len()).sum::<usize>(), 5_000);
    for slice in &jobs {
        let days = (slice.range.start().to_string(), slice.range.end().to_string());
        assert_eq!(days, ("2024-03-01 05:00:00 UTC".to_owned(), "2024-03-29 04:00:00 UTC".to_owned()), "Good Friday");
    }
}

async fn f28_a_batch_may_be_as_large_as_the_vendor_takes_and_no_larger(kind: Kind) {
    let (scene, simulator, orchestrator) = scene(kind).await;
    let report = orchestrator.batch(&Definition { batch_size: Some(100), ..numbered(150) }).await.unwrap();
    assert_eq!(report.batches.iter().map(|batch| batch.symbols).collect::<Vec<_>>(), [100, 50]);
    let alpaca = provider(&simulator);
    let limits = Limits { symbols_a_request: 100, ..alpaca.limits() };
    let narrow = Orchestrator::new(alpaca.with_limits(limits), Nyse, scene.backend().await);
    let larger = Definition { name: "larger".into(), batch_size: Some(101), ..numbered(150) };
    let error = narrow.batch(&larger).await.unwrap_err();
    assert_eq!(error.code(), "VALIDATION_ERROR");
    assert!(error.to_string().contains("101") && error.to_string().contains("100 a request"), "{error}");
    assert_eq!(narrow.backend().catalog.get("larger").await.unwrap(), None);
    // A definition that came into the catalog another way is reported by the tick, and the others go on.
    narrow.backend().catalog.upsert(&larger, Narrowing::Refuse).await.unwrap();
    let tick = narrow.tick().await.unwrap();
    let named: Vec<_> = tick.errors.iter().map(|(name, error)| (name.as_str(), error.code())).collect();
    assert_eq!((named, tick.scanned), (vec![("larger", "VALIDATION_ERROR")], 150));
}

async fn f29_definitions_that_make_no_sense_change_nothing(kind: Kind) {
    let (_scene, simulator, orchestrator) = scene(kind).await;
    let usual = numbered(2);
    for wrong in [
        Definition { symbols: vec![], ..usual.clone() },
        numbered(10_001),
        Definition { symbols: vec![usual.symbols[0].clone(), usual.symbols[0].clone()], ..usual.clone() },
        Definition { timeframes: vec![], ..usual.clone() },
        Definition { window: Window::LastDays(0), ..usual.clone() },
        Definition { batch_size: Some(0), ..usual.clone() },
        Definition { derive_from: Some(Timeframe::D1), ..usual.clone() },
    ] {
        assert_eq!(orchestrator.batch(&wrong).await.unwrap_err().code(), "VALIDATION_ERROR");
    }
    assert!(orchestrator.backend().catalog.list().await.unwrap().is_empty());
    assert!(live(&orchestrator).await.is_empty());
    assert_eq!(simulator.requests().total, 0);
}

async fn f30_a_job_says_what_came_of_each_symbol(kind: Kind) {
    let (_scene, _simulator, orchestrator) = scene(kind).await;
    let symbols = ["3USL", "AAPL", "MSFT", "ZTST"].map(|symbol| symbol.parse().unwrap()).to_vec();
    let definition = Definition { symbols, ..numbered(1) };
    orchestrator.batch(&definition).await.unwrap();
    let jobs = orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap();
    assert_eq!(jobs.len(), 1);
    let report = orchestrator.backfill(&[definition], &CancellationToken::new()).await.unwrap();
    assert_eq!((report.complete, report.failed.len()), (false, 1));
    let finished = orchestrator.backend().inspect.finished(&[jobs[0].id]).await.unwrap().remove(0);
    let result = &finished.result;
    assert_eq!(result["symbols"], serde_json::json!({ "3USL": 0, "AAPL": 20, "MSFT": 20, "ZTST": 0 }), "{result}");
    let rejected = result["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 1);
    assert_eq!((&rejected[0]["symbol"], &rejected[0]["code"]), (&"3USL".into(), &"INVALID_SYMBOL".into()));
    assert_eq!(result["bars_written"], 40);
}

async fn f59_from_batches_to_single_symbols_and_back_nothing_is_lost_or_doubled(kind: Kind) {
    let (_scene, simulator, orchestrator) = scene(kind).await;
    let window = TimeRange::new("2024-01-02T05:00:00Z".parse().unwrap(), month().end()).unwrap();
    let symbols = ["AAPL", "AMD", "INTC", "MSFT", "NVDA"].map(|symbol| symbol.parse().unwrap()).to_vec();
    let batched =
        Definition { symbols, timeframes: vec![Timeframe::M15], window: Window::Fixed(window), ..numbered(1) };
    let single = Definition { batch_size: Some(1), ..batched.clone() };
    let backend = orchestrator.backend();
    let mut all = Vec::new();
    for definition in [&batched, &single, &batched] {
        orchestrator.batch(definition).await.unwrap();
        all = live(&orchestrator).await;
        // One slice of the form before is under way while the form changes.
        let claimed = backend.queue.claim(&Claim::new(SliceJob::KIND, "a worker")).await.unwrap();
        backend.queue.release(&[Release::new(claimed[0].key())]).await.unwrap();
    }
    for (number, slice) in all.iter().enumerate() {
        for other in &all[..number] {
            let shares = slice.symbols.iter().any(|symbol| other.symbols.contains(symbol));
            assert!(!shares || !slice.range.overlaps(&other.range), "{slice:?} {other:?}");
        }
    }
    let stop = CancellationToken::new();
    let report = orchestrator.backfill(std::slice::from_ref(&single), &stop).await.unwrap();
    assert!(report.complete, "{report:?}");
    let mut stored = 0;
    for series in batched.series() {
        stored += bars_of(&*backend.store, &series, TimeRange::ALWAYS).await.len() as u64;
        for span in Nyse.spans(Timeframe::M15, batched.hours, window) {
            assert_eq!(bars_of(&*backend.store, &series, span).await, simulator.market().truth(&series, span));
        }
    }
    assert_eq!((report.bars_written, report.bars_revised), (stored, 0), "each bar was written once");
    assert_eq!(orchestrator.backfill(&[batched], &stop).await.unwrap().requests, 0);
}
