//! Every rule of the health fires in a drill, and is quiet again afterwards where that can be had.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Market, NumberFault, RetryAfter};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{self, Definition, Window};
use barkeep_orchestrator::database::Location;
use barkeep_orchestrator::queue::{self, Claim, Rate, Release, Spent, Vitals, Watch};
use barkeep_orchestrator::store::{self, ProviderName};
use barkeep_orchestrator::types::Timeframe;
use barkeep_orchestrator::{
    Backend, Clock, Error, Health, HealthStatus, Orchestrator, Schedule, Settings, SliceJob, Thresholds, database,
};
use barkeep_test_postgres::{Server, Stop};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::{becomes, definition, enable, on_both_databases, orchestrator, provider_with, quick, simulator, until};

on_both_databases!(
    f57_health_tells_when_the_scheduler_has_stopped,
    f53_slices_that_nobody_takes_are_told,
    f53_a_slice_that_hangs_is_told,
    f53_slices_that_fail_for_good_are_told,
    f53_refused_credentials_are_told_by_every_process_until_one_starts_well,
    f53_stale_bars_are_told,
    f53_bars_that_vanish_are_told,
    f53_a_limit_that_is_used_up_is_told,
    f53_connections_that_are_waited_for_are_told,
);

fn thresholds(change: impl FnOnce(&mut Thresholds)) -> Settings {
    let mut thresholds = Thresholds::default();
    change(&mut thresholds);
    quick().with_thresholds(thresholds)
}

const SOON: Duration = Duration::from_millis(300);

async fn f57_health_tells_when_the_scheduler_has_stopped(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let settings = thresholds(|thresholds| thresholds.ticks_missed = 1);
    let settings = settings.with_schedule(Schedule::every(Duration::from_secs(1)));
    let ticking = orchestrator(&scene, &simulator, settings.clone()).await;
    // Of another process, which never ticks.
    let looking = orchestrator(&scene, &simulator, settings).await;
    assert!(!looking.health().await.has("TickMissing"), "nobody was ever to tick");
    ticking.tick().await.unwrap();
    assert!(!looking.health().await.has("TickMissing"));
    let health = becomes(&looking, "TickMissing").await;
    assert_eq!(health.status, HealthStatus::Failing);
    assert!(health.concerns[0].first_action.contains("alive"), "{health:?}");
    ticking.tick().await.unwrap();
    until(&looking, "well again", |health| !health.has("TickMissing")).await;
}

async fn f53_slices_that_nobody_takes_are_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let settings = thresholds(|thresholds| {
        (thresholds.stalled_after, thresholds.waits_after) = (SOON, SOON);
        (thresholds.deep, thresholds.deep_after) = (0, SOON);
    });
    let orchestrator = orchestrator(&scene, &simulator, settings).await;
    orchestrator.tick().await.unwrap();
    for rule in ["BackfillStalled", "QueueLatencyHigh", "QueueDeep"] {
        becomes(&orchestrator, rule).await;
    }
    orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    until(&orchestrator, "well again", |health| health.concerns.is_empty()).await;
}

async fn f53_a_slice_that_hangs_is_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let settings = thresholds(|thresholds| thresholds.stuck_after = SOON);
    let orchestrator = orchestrator(&scene, &simulator, settings).await;
    orchestrator.tick().await.unwrap();
    assert!(!orchestrator.health().await.has("JobsStuck"));
    let leases = orchestrator.backend().queue.claim(&Claim::new(SliceJob::KIND, "hangs")).await.unwrap();
    assert_eq!(leases.len(), 1);
    becomes(&orchestrator, "JobsStuck").await;
    orchestrator.backend().queue.release(&[Release::new(leases[0].key())]).await.unwrap();
    until(&orchestrator, "well again", |health| !health.has("JobsStuck")).await;
}

async fn f53_slices_that_fail_for_good_are_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, thresholds(|thresholds| thresholds.failed_of = 1)).await;
    simulator.inject(Injection::of(AnswerFault::Redirect("http://127.0.0.1:9/".into())).times(50));
    assert!(orchestrator.health().await.concerns.is_empty());
    let report = orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    assert!(!report.complete, "{report}");
    let health = becomes(&orchestrator, "DeadJobs").await;
    assert!(health.has("ErrorRateHigh") && health.status == HealthStatus::Degraded, "{health:?}");
    let dead = health.concerns.iter().find(|concern| concern.rule == "DeadJobs").unwrap();
    assert!(dead.reason.contains("SERVICE_UNAVAILABLE 1"), "{dead:?}");
}

async fn f53_refused_credentials_are_told_by_every_process_until_one_starts_well(kind: Kind) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_keys("key", "right").start().await.unwrap();
    let with = async |secret: &str| {
        let backend = scene.backend().await;
        enable(&backend, &definition(Timeframe::D1)).await;
        Orchestrator::with_settings(provider_with(&simulator, "key", secret), Nyse, backend, quick())
    };
    let (wrong, looking) = (with("canary-wrong").await, with("right").await);
    let error = wrong.run(&CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    for orchestrator in [&wrong, &looking] {
        let health = becomes(orchestrator, "AuthFailed").await;
        assert_eq!(health.status, HealthStatus::Failing);
        assert!(!format!("{health:?}").contains("canary"), "{health:?}");
    }
    let stop = CancellationToken::new();
    let well = async {
        until(&looking, "well again", |health| !health.has("AuthFailed")).await;
        stop.cancel();
    };
    let right = with("right").await;
    let (ran, ()) = tokio::join!(right.run(&stop), well);
    ran.unwrap();
}

/// An orchestrator that takes this for the time, and keeps the last 20 days.
async fn at(scene: &Scene, simulator: &AlpacaSim, day: &str, settings: Settings) -> Orchestrator {
    let backend = scene.backend().await;
    enable(&backend, &Definition { window: Window::LastDays(20), ..definition(Timeframe::D1) }).await;
    let settings = settings.with_clock(Clock::Fixed(day.parse().unwrap()));
    Orchestrator::with_settings(provider(simulator), Nyse, backend, settings)
}

async fn f53_stale_bars_are_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let early = at(&scene, &simulator, "2024-03-08T23:00:00Z", quick()).await;
    let wanted = early.backend().catalog.list().await.unwrap();
    assert!(early.backfill(&wanted, &CancellationToken::new()).await.unwrap().complete);
    let settings = thresholds(|thresholds| thresholds.lag_after = SOON);
    let late = at(&scene, &simulator, "2024-03-20T23:00:00Z", settings).await;
    late.tick().await.unwrap();
    let health = becomes(&late, "CoverageLag").await;
    assert!(health.concerns[0].reason.contains("d1"), "{health:?}");
    assert!(late.backfill(&wanted, &CancellationToken::new()).await.unwrap().complete);
    late.tick().await.unwrap();
    until(&late, "well again", |health| !health.has("CoverageLag")).await;
}

async fn f53_bars_that_vanish_are_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, quick()).await;
    orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    orchestrator.tick().await.unwrap();
    until(&orchestrator, "complete", |health| health.concerns.is_empty()).await;
    // A look is the same for a moment, and may be one from before the tick.
    let complete = async {
        while orchestrator.look().await.tick.unwrap().note.standing[&Timeframe::D1].missing_bars > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), complete).await.expect("nothing is missing");
    scene.execute("DELETE FROM store_coverage").await;
    orchestrator.tick().await.unwrap();
    becomes(&orchestrator, "CoverageRegressed").await;
}

async fn f53_a_limit_that_is_used_up_is_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let settings = thresholds(|thresholds| {
        thresholds.saturated_after = Duration::from_secs(1);
        thresholds.saturated_per_thousand = 500;
    });
    let orchestrator = orchestrator(&scene, &simulator, settings).await;
    let budgets = &orchestrator.backend().budgets;
    budgets.set_budget("account", &Rate::new(100, Duration::from_secs(1)).unwrap()).await.unwrap();
    let spend = async {
        loop {
            budgets.reserve("account", 100).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = spend => {}
        health = becomes(&orchestrator, "RateLimitSaturated") => {
            assert_eq!(health.status, HealthStatus::Healthy, "it is good to know, and no more");
        }
    }
}

/// A database with one connection to read with.
enum Narrow {
    Sqlite(database::Sqlite),
    Postgres(database::Postgres),
}

impl Narrow {
    async fn open(scene: &Scene) -> (Self, Backend) {
        match scene.location() {
            Location::Sqlite(path) => {
                let settings = database::SqliteSettings::new(path).with_readers(1);
                let database = database::Sqlite::open_with(settings).await.unwrap();
                let backend = Backend::of(
                    store::SqliteStore::open(&database, ProviderName::ALPACA).await.unwrap(),
                    queue::SqliteQueue::open(&database).await.unwrap(),
                    catalog::SqliteCatalog::open(&database).await.unwrap(),
                );
                (Self::Sqlite(database), backend)
            }
            Location::Postgres(url) => {
                let settings = database::PostgresSettings::new(url).with_connections(1);
                let database = database::Postgres::connect_with(settings).await.unwrap();
                let backend = Backend::of(
                    store::PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap(),
                    queue::PostgresQueue::open(&database).await.unwrap(),
                    catalog::PostgresCatalog::open(&database).await.unwrap(),
                );
                (Self::Postgres(database), backend)
            }
        }
    }

    /// Takes the connection, until the value is dropped.
    async fn take(&self) -> Box<dyn std::any::Any> {
        match self {
            Self::Sqlite(database) => Box::new(database.connection().await.unwrap()),
            Self::Postgres(database) => Box::new(database.connection().await.unwrap()),
        }
    }
}

async fn f53_connections_that_are_waited_for_are_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let (database, backend) = Narrow::open(&scene).await;
    let settings = thresholds(|thresholds| thresholds.pool_waits_long = 1);
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, backend, settings);
    assert_eq!(orchestrator.health().await.concerns, []);
    let taken = database.take().await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        drop(taken);
    };
    // This look waits for it.
    let (health, ()) = tokio::join!(becomes(&orchestrator, "PoolExhausted"), release);
    assert_eq!(health.status, HealthStatus::Failing, "{health:?}");
    until(&orchestrator, "well again", |health| health.concerns.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_refusals_of_the_vendor_and_impossible_bars_are_told() {
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let orchestrator = orchestrator(&scene, &simulator, quick()).await;
    assert!(orchestrator.health().await.concerns.is_empty());
    simulator.inject(Injection::of(AnswerFault::TooManyRequests(RetryAfter::Seconds(0))));
    orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    simulator.inject(Injection::of(NumberFault::NegativePrice));
    orchestrator.backfill(&[definition(Timeframe::H1)], &CancellationToken::new()).await.unwrap();
    for rule in ["RateLimited429", "InvalidData"] {
        becomes(&orchestrator, rule).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f53_a_database_that_is_down_is_told_and_one_that_is_back_too() {
    let (server, simulator) = (Server::start(), simulator().await);
    let backend = Backend::open(&server.url().parse().unwrap(), ProviderName::ALPACA).await.unwrap();
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, backend, quick());
    assert_eq!(orchestrator.health().await.concerns, []);
    server.stop(Stop::Immediate);
    let health = becomes(&orchestrator, "DatabaseDown").await;
    assert_eq!(health.status, HealthStatus::Failing);
    server.resume();
    until(&orchestrator, "well again", |health| health.concerns.is_empty()).await;
}

/// A database whose answers are put in other words.
#[derive(Debug)]
pub(crate) struct Altered {
    pub(crate) inner: Arc<dyn Watch>,
    pub(crate) alter: fn(Vitals) -> queue::Result<Vitals>,
}

#[async_trait]
impl Watch for Altered {
    async fn vitals(&self, kind: &str) -> queue::Result<Vitals> {
        (self.alter)(self.inner.vitals(kind).await?)
    }

    async fn beat(&self, name: &str, holder: &str, note: &Value) -> queue::Result<()> {
        self.inner.beat(name, holder, note).await
    }

    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> queue::Result<Vec<Spent>> {
        self.inner.spent(kind, since).await
    }

    fn pool_waits(&self) -> database::PoolWaits {
        self.inner.pool_waits()
    }
}

/// The health where the database answers so.
async fn altered(alter: fn(Vitals) -> queue::Result<Vitals>) -> Health {
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let backend = scene.backend().await;
    let watch = Arc::new(Altered { inner: Arc::clone(&backend.watch), alter });
    Orchestrator::with_settings(provider(&simulator), Nyse, Backend { watch, ..backend }, quick()).health().await
}

#[tokio::test]
async fn f53_a_full_database_and_a_wrong_clock_are_told() {
    let full = altered(|_| Err(database::Error::Full("disk full".into()).into())).await;
    assert!(full.has("StorageFull") && full.status == HealthStatus::Failing, "{full:?}");
    let skewed = altered(|mut vitals| {
        vitals.now -= TimeDelta::seconds(10);
        Ok(vitals)
    });
    let skewed = skewed.await;
    assert!(skewed.has("ClockSkew") && skewed.status == HealthStatus::Degraded, "{skewed:?}");
    assert_eq!(altered(Ok).await.concerns, []);
}

#[tokio::test]
async fn many_who_ask_at_once_cost_one_statement() {
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let backend = scene.backend().await;
    let alter = |vitals| {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        Ok(vitals)
    };
    let watch = Arc::new(Altered { inner: Arc::clone(&backend.watch), alter });
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, Backend { watch, ..backend });
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let orchestrator = orchestrator.clone();
        asking.spawn(async move { orchestrator.health().await });
    }
    assert_eq!(asking.join_all().await.len(), 50);
    orchestrator.look().await;
    assert_eq!(LOOKS.load(Ordering::Relaxed), 1);
}

/// A database that takes the question and never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Watch for Silent {
    async fn vitals(&self, _: &str) -> queue::Result<Vitals> {
        std::future::pending().await
    }

    async fn beat(&self, _: &str, _: &str, _: &Value) -> queue::Result<()> {
        Ok(())
    }

    async fn spent(&self, _: &str, _: DateTime<Utc>) -> queue::Result<Vec<Spent>> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_database_that_never_answers_is_given_up_after_five_seconds() {
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let backend = Backend { watch: Arc::new(Silent), ..scene.backend().await };
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, backend);
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let health = orchestrator.health().await;
    assert!(health.has("DatabaseDown") && health.concerns[0].reason.contains("DATABASE_TIMEOUT"), "{health:?}");
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_health_are_told_to_whoever_listens() {
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let settings = thresholds(|thresholds| thresholds.stuck_after = SOON);
    let orchestrator = orchestrator(&scene, &simulator, settings).await;
    let mut events = orchestrator.subscribe();
    orchestrator.tick().await.unwrap();
    orchestrator.backend().queue.claim(&Claim::new(SliceJob::KIND, "hangs")).await.unwrap();
    becomes(&orchestrator, "JobsStuck").await;
    orchestrator.health().await;
    let mut told = 0;
    while let Ok(event) = events.try_recv() {
        if let barkeep_orchestrator::ProgressEvent::HealthChanged(health) = event {
            assert!(health.has("JobsStuck"));
            told += 1;
        }
    }
    assert_eq!(told, 1, "once, however often it was looked at");
}
