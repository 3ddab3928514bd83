//! Every metric that there is, in what Prometheus reads after a run in which everything happened.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Market, RetryAfter};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::metrics::{METRICS, describe_metrics};
use barkeep_orchestrator::notifications::{Log, Reminders};
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::types::Timeframe;
use barkeep_orchestrator::{Backend, Budgeted, Orchestrator, database};
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusBuilder;
use tests::{Kind, Scene};
use tokio_util::sync::CancellationToken;

use crate::health::Altered;
use crate::{definition, enable, provider_with, quick};

thread_local! {
    /// How often this test's database was looked at.
    static LOOKS: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn f52_every_metric_is_measured_with_its_labels_on_sqlite() {
    measured(Kind::Sqlite);
}

#[test]
fn f52_every_metric_is_measured_with_its_labels_on_postgres() {
    measured(Kind::Postgres);
}

fn measured(kind: Kind) {
    // In a recorder of this test's own: one thread does everything.
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(everything_happens(kind)));
    let text = recorder.handle().render();
    let measured = series(&text);
    for metric in METRICS {
        let Some(labels) = measured.get(metric.name) else { panic!("{} is measured nowhere: {text}", metric.name) };
        let promised: BTreeSet<String> = metric.labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(*labels, promised, "the labels of {}", metric.name);
    }
    let known: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert!(measured.keys().all(|name| known.contains(&name.as_str())), "{:?}", measured.keys());
}

/// The series of a page for Prometheus, with their labels, those of its own (`le`, `quantile`) left out.
fn series(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut series = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| line.starts_with("barkeep_")) {
        let name = crate::pages::plain(line.split(['{', ' ']).next().unwrap());
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap());
        let labels = labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(label, _)| label.to_owned());
        series.entry(name).or_default().extend(labels.filter(|label| label != "le" && label != "quantile"));
    }
    series
}

/// A run with everything in it that is measured: pages, refusals, a limit, a database that does not answer, notices, an end.
async fn everything_happens(kind: Kind) {
    describe_metrics();
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_keys("key", "right").start().await.unwrap();
    let scene = Scene::on(kind).await;
    let backend = scene.backend().await;
    enable(&backend, &definition(Timeframe::H1)).await;
    let watch = Arc::new(Altered {
        inner: Arc::clone(&backend.watch),
        alter: |mut vitals| match LOOKS.replace(LOOKS.get() + 1) {
            0 => Err(database::Error::TimedOut { limit: Duration::from_secs(30) }.into()),
            // Long ago, so that what was spent since is a share of what might have been.
            1 => {
                vitals.now -= TimeDelta::minutes(10);
                Ok(vitals)
            }
            _ => Ok(vitals),
        },
    });
    let backend = Backend { watch, ..backend };
    let alpaca = provider_with(&simulator, "key", "right");
    let limits = Limits { requests_a_minute: Some(6_000), ..alpaca.limits() };
    let shared = Budgeted::share(alpaca.with_limits(limits), &backend, "account").await.unwrap();
    let orchestrator = Orchestrator::with_settings(shared, Nyse, backend.clone(), quick());
    for _ in 0..2 {
        orchestrator.look().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    simulator.inject(Injection::of(AnswerFault::TooManyRequests(RetryAfter::Seconds(0))));
    let told = CancellationToken::new();
    orchestrator.backfill(&[definition(Timeframe::H1)], &told).await.unwrap();
    orchestrator.tick().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    orchestrator.health().await;

    // Another key, which is refused: there is something to be told.
    let refused = provider_with(&simulator, "key", "wrong");
    let refused = Orchestrator::with_settings(refused, Nyse, backend.clone(), quick());
    enable(&backend, &definition(Timeframe::D1)).await;
    refused.run(&told).await.unwrap_err();
    // Past the look that everybody shares for a moment.
    tokio::time::sleep(Duration::from_millis(50)).await;
    told.cancel();
    refused.notify(&Log::new(), Reminders::every(Duration::from_secs(3600)), &told).await;
}
