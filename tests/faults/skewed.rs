//! A host whose clock is ten minutes off, either way. Leases and plans live by the database's clock, nothing is lost or
//! doubled, and somebody is told.

use std::time::Duration;

use barkeep_alpaca::Alpaca;
use barkeep_alpaca_sim::WireFault;
use barkeep_orchestrator::calendar::Always;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::metrics::CLOCK_SKEW;
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::store::{ProviderName, covered};
use barkeep_orchestrator::types::{Bar, Hours, TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Orchestrator, Settings, SliceJob};
use chrono::{DateTime, TimeDelta, Utc};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tests::{Child, Kind, Outcome, Scene, Vendor, bars_of, clock_ahead_by};
use tokio_util::sync::CancellationToken;

use crate::comes_to_the_fault;

const OFF: i64 = 600;
const LEASE: Duration = Duration::from_secs(5);
/// Where the child finds its database.
const DATABASE: &str = "BARKEEP_SKEWED_DATABASE";

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_minutes_ahead_loses_and_doubles_nothing() {
    one_dies_and_one_fills_with_a_clock_ahead_by(OFF).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_minutes_behind_loses_and_doubles_nothing() {
    one_dies_and_one_fills_with_a_clock_ahead_by(-OFF).await;
}

/// A coin's minutes, around the clock: whenever the test runs, there is a bar that has just ended.
fn definition() -> Definition {
    let (coin, window) = ("BTC/USD".parse().unwrap(), Window::LastDays(1));
    let coins = Definition::new("coins", vec![coin], vec![Timeframe::M1], window);
    Definition { feed: "us".parse().unwrap(), hours: Hours::Always, ..coins }
}

async fn one_dies_and_one_fills_with_a_clock_ahead_by(seconds: i64) {
    let (scene, vendor) = (Scene::on(Kind::Postgres).await, Vendor::start().await);
    let backend = scene.backend().await;
    vendor.simulator.inject(WireFault::NoAnswer);
    let mut first = start(&scene, &vendor, seconds);
    comes_to_the_fault(&mut first, &vendor).await;
    let left = lease_left(&scene).await;
    assert!(left > 0.0 && left <= LEASE.as_secs_f64(), "a lease of the database's clock has {left} s left");
    first.kill().await;

    // Another one, off the other way: what the dead one had is its own after the lease, and not ten minutes later.
    let since = backend.inspect.now().await.unwrap();
    let outcome = start(&scene, &vendor, -seconds).end().await;
    let until = backend.inspect.now().await.unwrap();
    assert!(until - since < TimeDelta::minutes(2), "{since} to {until}");
    told_of(&outcome, -seconds);
    filled(&backend, &vendor, since, until).await;
}

fn start(scene: &Scene, vendor: &Vendor, ahead: i64) -> Child {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "--ignored", "--nocapture", "skewed::be_a_process_with_a_wrong_clock"];
    let clock = clock_ahead_by(ahead);
    let mut environment: Vec<(&str, &str)> = clock.iter().map(|(name, value)| (*name, value.as_str())).collect();
    environment.push((DATABASE, scene.url()));
    vendor.start_child_with(program.to_str().unwrap(), &arguments, &environment)
}

/// How many seconds the latest lease has left, by the database's clock.
async fn lease_left(scene: &Scene) -> f64 {
    let mut connection = PgConnection::connect(scene.url()).await.unwrap();
    let left = "SELECT extract(epoch FROM max(lease_until) - clock_timestamp())::float8 FROM barkeep.queue_lease";
    sqlx::query_scalar(left).fetch_one(&mut connection).await.unwrap()
}

/// The log, the health and the metrics say how far the clock is off.
fn told_of(outcome: &Outcome, ahead: i64) {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let line = outcome.stdout.lines().find_map(|line| line.find("{\"").map(|at| &line[at..]));
    let told: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("{outcome:?}"))).unwrap();
    assert_eq!(told["complete"], true, "{outcome:?}");
    assert!(told["rules"].as_array().unwrap().contains(&json!("ClockSkew")), "{told}");
    let metric = told["metric"].as_f64().unwrap();
    assert!((metric - ahead as f64).abs() < 30.0, "{told}");
    assert!(outcome.stderr.contains("this host's clock differs from the database's"), "{outcome:?}");
    let sign = if ahead < 0 { "-" } else { "" };
    let is_told = [59, 60].iter().any(|tens| outcome.stderr.contains(&format!("ahead_seconds={sign}{tens}")));
    assert!(is_told, "{outcome:?}");
}

/// Every bar until the database's now, and none after it; none lost, none twice, none wrong.
async fn filled(backend: &Backend, vendor: &Vendor, since: DateTime<Utc>, until: DateTime<Utc>) {
    let series = definition().series().next().unwrap();
    let spans = backend.store.coverage(std::slice::from_ref(&series), TimeRange::ALWAYS);
    let all = covered(&spans.await.unwrap()[0], |_| true);
    let [range] = all.ranges() else { panic!("one stretch without a hole: {all:?}") };
    assert!(range.end() <= until, "the plan reached into the future: {range}, and it was {until}");
    assert!(range.end() > since - TimeDelta::minutes(3), "the plan stopped short: {range}, and it was {since}");
    assert!(range.start() <= since - TimeDelta::days(1), "{range}");
    // The vendor's latest bars may still change; how many there are is settled.
    let (bars, truth) =
        (bars_of(&*backend.store, &series, *range).await, vendor.simulator.market().truth(&series, *range));
    let settled = |bars: &[Bar]| -> Vec<_> {
        bars.iter().copied().filter(|bar| bar.start < since - TimeDelta::minutes(20)).collect()
    };
    assert_eq!(settled(&bars), settled(&truth));
    assert!(settled(&bars).len() > 500, "{}", bars.len());
    let findings = backend.store.check().await.unwrap();
    assert!(findings.iter().all(|finding| finding.is_harmless()), "{findings:?}");
    let counts = backend.inspect.counts().await.unwrap()[SliceJob::KIND];
    assert_eq!((counts.live(), counts.failed), (0, 0), "{counts:?}");
}

/// What the child does: fills what is missing, and says how it is.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that the other tests start"]
async fn be_a_process_with_a_wrong_clock() {
    let log = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::WARN);
    log.with_writer(std::io::stderr).init();
    let recorder = PrometheusBuilder::new().install_recorder().unwrap();
    let url = std::env::var(DATABASE).expect("the test that starts this names a database");
    let backend = Backend::open(&url.parse().unwrap(), ProviderName::ALPACA).await.unwrap();
    let alpaca = Alpaca::from_env().unwrap();
    let limits = Limits { requests_a_minute: None, delay: TimeDelta::zero(), ..alpaca.limits() };
    let settings = Settings::default().with_lease(LEASE);
    let orchestrator = Orchestrator::with_settings(alpaca.with_limits(limits), Always, backend, settings);
    let report = orchestrator.backfill(&[definition()], &CancellationToken::new()).await.unwrap();
    let health = orchestrator.health().await;
    let rules: Vec<&str> = health.concerns.iter().map(|concern| concern.rule.as_str()).collect();
    let text = recorder.render();
    let metric = text.lines().find_map(|line| line.strip_prefix(CLOCK_SKEW)?.trim().parse::<f64>().ok());
    println!("\n{}", json!({ "complete": report.complete, "rules": rules, "metric": metric }));
}
