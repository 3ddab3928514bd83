//! Definitions, ticks and actions: F01 to F05, F10, F18.

use barkeep_orchestrator::catalog::{Definition, Draft, Narrowing, Upserted, Window, presets};
use barkeep_orchestrator::queue::{Claim, Failure, Outcome, Then};
use barkeep_orchestrator::types::{InvalidTimeframe, TimeRange, Timeframe};
use barkeep_orchestrator::{SliceJob, Tunable};
use tests::Kind;

use super::{Stage, definition, march, on_both_databases};

on_both_databases!(
    f01_a_definition_is_one_row_and_its_window_never_narrows_in_silence,
    f01_a_disabled_definition_gets_no_slices,
    f02_the_preset_is_twenty_symbols_and_a_second_time_nothing,
    f03_disabled_by_pattern_the_queued_slices_are_cancelled_and_stay_so,
    f04_timeframes_are_read_by_any_name_and_unknown_ones_refused,
    f05_a_tick_says_what_the_database_says,
    f10_status_counts_all_that_wait_and_failed_slices_are_tried_again,
);

async fn f01_a_definition_is_one_row_and_its_window_never_narrows_in_silence(kind: Kind) {
    let stage = Stage::on(kind).await;
    let wide = definition(&["AAPL"], Timeframe::D1);
    stage.keep(&wide).await;
    let (start, end) = (march().start(), march().end());
    let narrow = TimeRange::new(start + chrono::Days::new(7), end).unwrap();
    let narrower = Definition { window: Window::Fixed(narrow), priority: 9, ..wide.clone() };
    let catalog = &stage.orchestrator.backend().catalog;
    assert_eq!(catalog.upsert(&narrower, Narrowing::Refuse).await.unwrap_err().code(), "VALIDATION_ERROR");
    assert_eq!(catalog.list().await.unwrap(), [wide]);
}

async fn f01_a_disabled_definition_gets_no_slices(kind: Kind) {
    let stage = Stage::on(kind).await;
    stage.keep(&Definition { enabled: false, ..definition(&["AAPL"], Timeframe::D1) }).await;
    assert_eq!(stage.orchestrator.tick().await.unwrap().slices_created, 0);
    assert!(stage.live().await.is_empty());
}

async fn f02_the_preset_is_twenty_symbols_and_a_second_time_nothing(kind: Kind) {
    let stage = Stage::on(kind).await;
    let catalog = &stage.orchestrator.backend().catalog;
    let first = catalog.upsert(&presets::tech20(), Narrowing::Refuse).await.unwrap();
    let second = catalog.upsert(&presets::tech20(), Narrowing::Refuse).await.unwrap();
    assert_eq!((first, second), (Upserted::Created, Upserted::Unchanged));
    let definitions = catalog.list().await.unwrap();
    assert_eq!((definitions.len(), definitions[0].symbols.len(), definitions[0].enabled), (1, 20, true));
    assert_eq!(definitions[0].timeframes, [Timeframe::H1]);
}

async fn f03_disabled_by_pattern_the_queued_slices_are_cancelled_and_stay_so(kind: Kind) {
    let stage = Stage::on(kind).await;
    for (name, symbol) in [("US_BATCH_1", "AAPL"), ("US_BATCH_2", "AMD"), ("mine", "MSFT")] {
        stage.keep(&Definition { name: name.into(), ..definition(&[symbol], Timeframe::D1) }).await;
    }
    assert_eq!(stage.orchestrator.tick().await.unwrap().jobs_dispatched, 3);
    let mut cancelled = stage.orchestrator.cancel(&"US_BATCH_*".parse().unwrap()).await.unwrap();
    cancelled.sort();
    assert_eq!(cancelled, ["US_BATCH_1", "US_BATCH_2"]);
    let ended = stage.failed().await;
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|job| job.outcome == Outcome::Cancelled && job.finished_at >= job.created_at));
    assert_eq!(stage.orchestrator.tick().await.unwrap().jobs_dispatched, 0);
    assert_eq!(stage.live().await.len(), 1, "the one that was not meant");
}

async fn f04_timeframes_are_read_by_any_name_and_unknown_ones_refused(kind: Kind) {
    let stage = Stage::on(kind).await;
    let catalog = &stage.orchestrator.backend().catalog;
    let names = ["15m", "1h", "4h", "1D", "1Week"].map(str::to_owned).to_vec();
    let draft = |timeframes| Draft { timeframes, ..Draft::from(&definition(&["AAPL"], Timeframe::D1)) };
    stage.keep(&draft(names).check().unwrap()).await;
    let stored = catalog.list().await.unwrap().swap_remove(0).timeframes;
    assert_eq!(stored, [Timeframe::M15, Timeframe::H1, Timeframe::H4, Timeframe::D1, Timeframe::W1]);
    let refused = draft(vec!["7m".into()]).check().unwrap_err();
    assert!(refused.to_string().contains("7m"), "{refused}");
    assert_eq!("7m".parse::<Timeframe>().map_err(|_| InvalidTimeframe::CODE), Err("INVALID_TIMEFRAME"));
    assert_eq!(catalog.list().await.unwrap().len(), 1);
}

async fn f05_a_tick_says_what_the_database_says(kind: Kind) {
    let stage = Stage::on(kind).await;
    stage.keep(&definition(&["AAPL", "MSFT"], Timeframe::D1)).await;
    let report = stage.orchestrator.tick().await.unwrap();
    let live = stage.live().await;
    assert_eq!(report.scanned, 2);
    assert_eq!((report.slices_created, report.jobs_dispatched), (live.len() as u64, live.len() as u64));
    assert!(report.errors.is_empty() && report.duration > std::time::Duration::ZERO);
}

async fn f10_status_counts_all_that_wait_and_failed_slices_are_tried_again(kind: Kind) {
    let stage = Stage::tuned(kind, |settings| settings.with_concurrency(12)).await;
    let many = ["AAPL", "AMD", "AMZN", "CRM", "GOOGL", "INTC", "META", "MSFT", "NFLX", "NVDA", "ORCL", "TSLA"];
    stage.keep(&Definition { batch_size: Some(1), ..definition(&many, Timeframe::D1) }).await;
    stage.orchestrator.tick().await.unwrap();
    assert_eq!(stage.orchestrator.status().await.unwrap().slices.ready, 12);
    // All of them fail for good: by hand, since nothing is wrong with them.
    let backend = stage.orchestrator.backend();
    let claim = Claim::new(SliceJob::KIND, "somebody").with_limit(12);
    let leases = backend.queue.claim(&claim).await.unwrap();
    let failures: Vec<_> = leases
        .iter()
        .map(|lease| Failure::new(lease.key(), "SERVICE_UNAVAILABLE", "down"))
        .map(|failure| failure.then(Then::Discard))
        .collect();
    backend.queue.fail(&failures).await.unwrap();
    let status = stage.orchestrator.status().await.unwrap();
    assert_eq!((status.slices.live(), status.failed.len()), (0, 12));
    assert_eq!(stage.orchestrator.retry_failed().await.unwrap(), 12);
    assert_eq!(stage.orchestrator.status().await.unwrap().slices.ready, 12);
    assert!("make_it_so".parse::<Tunable>().is_err(), "an action that is none is refused");
}
