//! Ticks come by themselves, one planner at a time, and settings may change meanwhile.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::{Calendar, Nyse};
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::queue::{Claim, Scope};
use barkeep_orchestrator::types::{Session, TimeRange, Timeframe};
use barkeep_orchestrator::{Idle, Orchestrator, ProgressEvent, Schedule, Settings, SliceJob, Stalled, Tunable};
use tests::{Kind, Scene, provider};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    f06_left_alone_it_ticks_and_the_queue_drains,
    f07_ticks_at_once_make_no_slice_twice,
    f08_without_definitions_there_is_nothing_to_do,
    f19_the_highest_priority_goes_first_and_none_starves,
    f23_never_more_run_than_may_over_all_processes,
    a_cron_expression_brings_ticks,
    a_planner_that_is_told_to_stop_leaves_no_lock_behind,
    a_planner_that_died_delays_the_next_tick_by_its_lease_at_most,
    a_tick_says_why_slices_wait,
    settings_change_for_all_while_they_run,
    long_slices_of_one_symbol_do_not_keep_the_others_waiting,
);

fn quarter() -> TimeRange {
    TimeRange::new("2024-01-02T00:00:00Z".parse().unwrap(), "2024-03-29T00:00:00Z".parse().unwrap()).unwrap()
}

fn definition(name: &str, symbols: &[&str], timeframe: Timeframe) -> Definition {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new(name, symbols, vec![timeframe], Window::Fixed(quarter()))
}

async fn simulator() -> AlpacaSim {
    AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap()
}

async fn orchestrator(scene: &Scene, simulator: &AlpacaSim, settings: Settings) -> Orchestrator {
    Orchestrator::with_settings(provider(simulator), Nyse, scene.backend().await, settings)
}

fn every_second() -> Settings {
    Settings::default().with_schedule(Schedule::every(Duration::from_secs(1)))
}

/// Runs until as many ticks have planned, and `is_done`.
async fn run_until(orchestrator: &Orchestrator, ticks: usize, is_done: impl AsyncFn() -> bool) {
    let (stop, mut events) = (CancellationToken::new(), orchestrator.subscribe());
    let look = async {
        let mut planned = 0;
        while planned < ticks || !is_done().await {
            if matches!(events.recv().await, Ok(ProgressEvent::Planned { .. })) {
                planned += 1;
            }
        }
        stop.cancel();
    };
    let both = async { tokio::join!(orchestrator.run(&stop), look).0 };
    tokio::time::timeout(Duration::from_secs(120), both).await.expect("it goes on by itself").unwrap();
}

async fn f06_left_alone_it_ticks_and_the_queue_drains(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    backend.catalog.upsert(&definition("tech", &["AAPL", "MSFT"], Timeframe::D1), Narrowing::Refuse).await.unwrap();
    let orchestrator = orchestrator(&scene, &simulator, every_second()).await;
    run_until(&orchestrator, 5, async || orchestrator.status().await.unwrap().slices.live() == 0).await;
    assert!(orchestrator.status().await.unwrap().slices.succeeded > 0);
    assert_eq!(orchestrator.tick().await.unwrap().idle, Some(Idle::NothingMissing));
}

async fn a_cron_expression_brings_ticks(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let settings = Settings::default().with_schedule(Schedule::cron("* * * * * *", "America/New_York").unwrap());
    let orchestrator = orchestrator(&scene, &simulator, settings).await;
    run_until(&orchestrator, 2, async || true).await;
}

async fn f07_ticks_at_once_make_no_slice_twice(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    backend.catalog.upsert(&definition("tech", &["AAPL", "MSFT"], Timeframe::M15), Narrowing::Refuse).await.unwrap();
    let mut ticks = JoinSet::new();
    for _ in 0..4 {
        let orchestrator = orchestrator(&scene, &simulator, Settings::default()).await;
        ticks.spawn(async move { orchestrator.tick().await.unwrap() });
    }
    let reports = ticks.join_all().await;
    let live = backend.inspect.live(SliceJob::KIND).await.unwrap();
    assert_eq!(reports.iter().map(|report| report.jobs_dispatched).sum::<u64>(), live.len() as u64);
    let mut asked = Vec::new();
    for job in &live {
        let slice = SliceJob::read(&job.payload).unwrap();
        asked.extend(slice.series().map(|series| (series, slice.range)));
    }
    assert!(!asked.is_empty());
    for (number, (series, range)) in asked.iter().enumerate() {
        let twice = asked[..number].iter().any(|(other, taken)| series == other && range.overlaps(taken));
        assert!(!twice, "{series} {range}");
    }
}

async fn f08_without_definitions_there_is_nothing_to_do(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, Settings::default()).await;
    let report = orchestrator.tick().await.unwrap();
    assert_eq!((report.idle, report.scanned, report.errors.len()), (Some(Idle::NothingEnabled), 0, 0));
    assert_eq!(report.idle.unwrap().to_string(), "no definition is enabled");
    assert!(orchestrator.backfill(&[], &CancellationToken::new()).await.unwrap().complete);
    assert_eq!(simulator.requests().total, 0);
}

/// A market that somebody has the program stopped over, in the midst of planning.
#[derive(Debug)]
struct Interrupting(CancellationToken);

impl Calendar for Interrupting {
    fn time_zone(&self) -> chrono_tz::Tz {
        Nyse.time_zone()
    }

    fn session(&self, date: chrono::NaiveDate) -> Option<Session> {
        self.0.cancel();
        Nyse.session(date)
    }
}

async fn a_planner_that_is_told_to_stop_leaves_no_lock_behind(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let stop = CancellationToken::new();
    let told = Orchestrator::new(provider(&simulator), Interrupting(stop.clone()), scene.backend().await);
    // Several, so that it is not done with them when it is told.
    for name in ["one", "two", "three", "four"] {
        let definition = definition(name, &["AAPL", "MSFT"], Timeframe::H1);
        told.backend().catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    }
    told.run(&stop).await.unwrap();
    let next = orchestrator(&scene, &simulator, Settings::default()).await;
    let report = next.tick().await.unwrap();
    assert_ne!(report.idle, Some(Idle::LockHeld), "{report:?}");
}

async fn a_planner_that_died_delays_the_next_tick_by_its_lease_at_most(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let lease = Duration::from_secs(2);
    let dead = scene.backend().await.locks.lock("planner", "the dead", lease).await.unwrap();
    assert!(dead.is_some());
    // The schedule alone would bring the next tick in an hour.
    let hourly = Settings::default().with_lease(lease).with_schedule(Schedule::every(Duration::from_secs(3600)));
    let orchestrator = orchestrator(&scene, &simulator, hourly).await;
    assert_eq!(orchestrator.tick().await.unwrap().idle, Some(Idle::LockHeld));
    run_until(&orchestrator, 1, async || true).await;
}

async fn f19_the_highest_priority_goes_first_and_none_starves(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, Settings::default()).await;
    let backend = orchestrator.backend();
    let urgent = Definition {
        priority: 10,
        batch_size: Some(1),
        ..definition("urgent", &["AAPL", "AMD", "MSFT"], Timeframe::M15)
    };
    let humble = Definition { priority: -10, ..definition("humble", &["NVDA"], Timeframe::M15) };
    for definition in [&humble, &urgent] {
        backend.catalog.upsert(definition, Narrowing::Refuse).await.unwrap();
    }
    let next = async || {
        let claimed = backend.queue.claim(&Claim::new(SliceJob::KIND, "a worker")).await.unwrap();
        claimed[0].group.clone().unwrap()
    };
    orchestrator.tick().await.unwrap();
    assert!(backend.inspect.live(SliceJob::KIND).await.unwrap().len() > 3);
    assert_eq!(next().await, "urgent");
    assert_eq!(next().await, "urgent");
    orchestrator.tick().await.unwrap();
    assert_eq!(next().await, "humble", "it was passed over from one tick to the next");
    assert_eq!(next().await, "urgent");
}

async fn f23_never_more_run_than_may_over_all_processes(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, AlpacaSim::options().with_market(Market::new(1)));
    let simulator = simulator.with_latency(Duration::from_millis(30)).start().await.unwrap();
    let settings = Settings::default().with_workers(10).with_concurrency(3);
    let symbols = ["AAPL", "AMD", "CSCO", "INTC", "MSFT", "MU", "NVDA", "ORCL", "QCOM", "TXN"];
    let all = Definition { batch_size: Some(1), ..definition("all", &symbols, Timeframe::D1) };
    let (one, other) =
        (orchestrator(&scene, &simulator, settings.clone()).await, orchestrator(&scene, &simulator, settings).await);
    let stop = CancellationToken::new();
    let definitions = [all];
    let watched = async {
        let mut most = 0;
        while !stop.is_cancelled() {
            let counts = one.backend().inspect.counts().await.unwrap();
            most = most.max(counts.get(SliceJob::KIND).map_or(0, |slices| slices.running));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        most
    };
    let token = CancellationToken::new();
    let worked = async {
        let reports = tokio::join!(one.backfill(&definitions, &token), other.backfill(&definitions, &token));
        stop.cancel();
        reports
    };
    let (most, (first, second)) = tokio::join!(watched, worked);
    assert!((1..=3).contains(&most), "{most} at once");
    assert!(first.unwrap().complete && second.unwrap().complete);
    assert!(one.status().await.unwrap().slices.succeeded >= 10);
}

async fn a_tick_says_why_slices_wait(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, Settings::default()).await;
    let backend = orchestrator.backend();
    backend.catalog.upsert(&definition("tech", &["AAPL"], Timeframe::D1), Narrowing::Refuse).await.unwrap();
    let first = orchestrator.tick().await.unwrap();
    assert_eq!((first.stalled, first.idle), (None, None));
    let waiting = orchestrator.tick().await.unwrap();
    assert_eq!(waiting.stalled, Some(Stalled::NoWorker { claimable: first.jobs_dispatched }));
    let pause = barkeep_orchestrator::queue::Pause::Group("tech".to_owned());
    backend.control.pause(&pause).await.unwrap();
    let paused = orchestrator.tick().await.unwrap();
    assert!(matches!(&paused.stalled, Some(Stalled::Blocked(blockers)) if blockers.len() == 1), "{paused:?}");
    backend.control.resume(&pause).await.unwrap();
    assert_eq!(backend.queue.claim(&Claim::new(SliceJob::KIND, "a worker")).await.unwrap().len(), 1);
    assert_eq!(orchestrator.tick().await.unwrap().stalled, None, "one runs");
}

async fn settings_change_for_all_while_they_run(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let hourly = Settings::default().with_schedule(Schedule::every(Duration::from_secs(3600)));
    let orchestrator = orchestrator(&scene, &simulator, hourly).await;
    let somebody = self::orchestrator(&scene, &simulator, Settings::default()).await;
    let mut events = orchestrator.subscribe();
    let stop = CancellationToken::new();
    let change = async {
        events.recv().await.unwrap();
        somebody.tune(Tunable::TickSeconds, Some(1), "ops").await.unwrap();
        somebody.tune(Tunable::Concurrency, Some(7), "ops").await.unwrap();
        for _ in 0..2 {
            events.recv().await.unwrap();
        }
        stop.cancel();
    };
    let both = async { tokio::join!(orchestrator.run(&stop), change).0 };
    tokio::time::timeout(Duration::from_secs(60), both).await.expect("it takes over what was set").unwrap();
    let caps = scene.backend().await.inspect.caps().await.unwrap();
    assert_eq!((caps[0].scope.clone(), caps[0].limit), (Scope::Kind("slice".to_owned()), 7));
    assert_eq!(orchestrator.settings().concurrency, 7);

    for (what, value) in [(Tunable::Concurrency, 0), (Tunable::SettleSeconds, u32::MAX), (Tunable::TickSeconds, 0)] {
        let error = somebody.tune(what, Some(value), "ops").await.unwrap_err();
        assert_eq!(error.code(), "VALIDATION_ERROR", "{what}");
    }
    somebody.tune(Tunable::Concurrency, None, "ops").await.unwrap();
    assert_eq!(somebody.settings().concurrency, 5, "what it was started with");
}

async fn long_slices_of_one_symbol_do_not_keep_the_others_waiting(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, Settings::default()).await;
    let all = Definition { batch_size: Some(1), ..definition("all", &["AAPL", "AMD", "MSFT", "NVDA"], Timeframe::M1) };
    orchestrator.backend().catalog.upsert(&all, Narrowing::Refuse).await.unwrap();
    orchestrator.tick().await.unwrap();
    let mut first = Vec::new();
    for _ in 0..all.symbols.len() {
        let claimed = orchestrator.backend().queue.claim(&Claim::new(SliceJob::KIND, "a worker")).await.unwrap();
        first.extend(SliceJob::read(&claimed[0].payload).unwrap().symbols);
    }
    assert!(orchestrator.status().await.unwrap().slices.live() > 4, "each symbol has several slices");
    first.sort();
    assert_eq!(first, all.symbols, "each symbol's first slice comes before any symbol's second");
}
