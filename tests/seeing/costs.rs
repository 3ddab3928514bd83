//! What it will cost, and what it did cost.

use std::time::Duration;

use barkeep_alpaca_sim::{AnswerFault, Injection};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::queue::Backoff;
use barkeep_orchestrator::types::Timeframe;
use barkeep_orchestrator::{Budgeted, Orchestrator, SliceJob};
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::{definition, enable, on_both_databases, quick, simulator};

on_both_databases!(
    f55_a_forecast_costs_nothing_and_comes_true,
    f55_costs_stand_beside_what_was_expected_by_slice_and_day,
    f55_requests_a_minute_are_counted_over_all_processes,
);

async fn f55_a_forecast_costs_nothing_and_comes_true(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let wanted = [definition(Timeframe::H1), definition(Timeframe::H1)];
    let forecast = orchestrator.forecast(&wanted).await.unwrap();
    assert_eq!((simulator.requests().total, orchestrator.status().await.unwrap().slices.live()), (0, 0));
    let [first, again] = forecast.lines.as_slice() else { panic!("{forecast:?}") };
    assert_eq!((first.series, again.series, again.requests), (2, 0, 0), "what two definitions lack is fetched once");
    assert!(first.missing_bars > 0 && first.bars > 0 && first.bytes > 0 && first.least_requests <= first.requests);
    assert_eq!((forecast.duration(), forecast.queued_requests), (None, 0));
    let report = orchestrator.backfill(&wanted[..1], &CancellationToken::new()).await.unwrap();
    assert_eq!((report.complete, report.requests), (true, simulator.requests().bars));
    let off = report.requests.abs_diff(forecast.requests());
    assert!(off * 5 <= report.requests, "{} were foretold, {} made", forecast.requests(), report.requests);
    assert_eq!(orchestrator.forecast(&wanted).await.unwrap().requests(), 0);
}

async fn f55_costs_stand_beside_what_was_expected_by_slice_and_day(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    enable(&backend, &definition(Timeframe::D1)).await;
    let settings = quick().with_backoff(Backoff::new(Duration::from_millis(1)));
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, backend.clone(), settings);
    let since = backend.inspect.now().await.unwrap();
    orchestrator.tick().await.unwrap();
    let job = backend.inspect.live(SliceJob::KIND).await.unwrap()[0].id;
    let waiting = orchestrator.slice_cost(job).await.unwrap().unwrap();
    assert_eq!((waiting.expected_requests, waiting.requests), (1, None));

    // Two tries in vain, which cost something all the same.
    simulator.inject(Injection::of(AnswerFault::Status(503)).times(2));
    let report = orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    assert!(report.complete, "{report}");
    let done = orchestrator.slice_cost(job).await.unwrap().unwrap();
    assert_eq!((done.expected_requests, done.requests), (1, Some(1)));
    let lines = orchestrator.costs(since).await.unwrap().lines;
    assert_eq!((lines.len(), lines[0].definition.as_str(), lines[0].slices, lines[0].failed), (1, "march", 1, 0));
    assert_eq!((lines[0].expected_requests, lines[0].requests), (1, 3), "{lines:?}");
    assert_eq!(lines[0].requests, simulator.requests().total, "as many as the vendor saw");
    assert_eq!(orchestrator.slice_cost(serde_json::from_str("123456").unwrap()).await.unwrap(), None);
}

async fn f55_requests_a_minute_are_counted_over_all_processes(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    let alpaca = provider(&simulator);
    let limits = Limits { requests_a_minute: Some(6_000), ..alpaca.limits() };
    let shared = Budgeted::share(alpaca.with_limits(limits), &backend, "account").await.unwrap();
    let orchestrator = Orchestrator::with_settings(shared, Nyse, backend.clone(), quick());
    orchestrator.look().await;
    // Another process spends of the same budget.
    backend.budgets.reserve("account", 10).await.unwrap();
    orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let look = orchestrator.look().await;
    assert!(look.slices.budgets[0].spent_today > look.totals.requests, "{look:?}");
    let now = backend.inspect.now().await.unwrap();
    assert!(orchestrator.costs(now).await.unwrap().requests_a_minute.unwrap() > 0.0);
}
