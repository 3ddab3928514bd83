//! An orchestrator that runs by itself, and those who look at it and steer it.

use std::time::{Duration, Instant};

use barkeep_alpaca_sim::{AlpacaSim, Market, Plan};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::planner::Reason;
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Budgeted, Orchestrator};
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    it_fills_what_is_enabled_and_stops_when_told,
    a_cancelled_definition_is_disabled_and_its_slices_end,
    explained_bars_are_covered_or_missing_or_under_way,
    f36_handles_that_share_a_budget_keep_the_limit_together,
);

fn march() -> TimeRange {
    TimeRange::new("2024-03-01T00:00:00Z".parse().unwrap(), "2024-04-01T00:00:00Z".parse().unwrap()).unwrap()
}

fn definition() -> Definition {
    let symbols = vec!["AAPL".parse().unwrap(), "MSFT".parse().unwrap()];
    Definition::new("march", symbols, vec![Timeframe::D1], Window::Fixed(march()))
}

async fn simulator() -> AlpacaSim {
    AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap()
}

async fn it_fills_what_is_enabled_and_stops_when_told(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    let off = Definition { name: "off".into(), enabled: false, symbols: vec!["NVDA".parse().unwrap()], ..definition() };
    for definition in [definition(), off] {
        backend.catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    }
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, backend);
    let stop = CancellationToken::new();
    let filled = async {
        while orchestrator.snapshot().totals.slices == 0 || orchestrator.status().await.unwrap().slices.live() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(orchestrator.run(&stop), filled);
    ran.unwrap();
    let status = orchestrator.status().await.unwrap();
    assert_eq!((status.definitions.len(), status.failed.len(), status.rejected.len()), (2, 0, 0));
    let series = orchestrator.backend().store.series().await.unwrap();
    let symbols: Vec<_> = series.iter().map(|series| series.symbol.as_str()).collect();
    assert_eq!(symbols, ["AAPL", "MSFT"]);
}

async fn a_cancelled_definition_is_disabled_and_its_slices_end(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    orchestrator.backend().catalog.upsert(&definition(), Narrowing::Refuse).await.unwrap();
    assert!(orchestrator.tick().await.unwrap().jobs_dispatched > 0);
    let cancelled = orchestrator.cancel(&"march".parse().unwrap()).await.unwrap();
    assert_eq!(cancelled, ["march"]);
    let status = orchestrator.status().await.unwrap();
    assert_eq!((status.slices.live(), status.definitions[0].enabled), (0, false));
    assert_eq!(orchestrator.tick().await.unwrap().jobs_dispatched, 0);
}

async fn explained_bars_are_covered_or_missing_or_under_way(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let definition = definition();
    let series = definition.series().next().unwrap();
    let reasons = async || {
        let explanations = orchestrator.explain(&definition, &series).await.unwrap();
        explanations.into_iter().map(|run| (run.bars, run.reason)).collect::<Vec<_>>()
    };
    assert_eq!(reasons().await, [(20, Reason::Missing)]);
    orchestrator.backend().catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    orchestrator.tick().await.unwrap();
    assert_eq!(reasons().await, [(20, Reason::Live)]);
    orchestrator.backfill(std::slice::from_ref(&definition), &CancellationToken::new()).await.unwrap();
    assert_eq!(reasons().await, [(20, Reason::Covered)]);
}

/// Two handles, as two processes would have: each alone would stay below the limit, both together would not.
async fn f36_handles_that_share_a_budget_keep_the_limit_together(kind: Kind) {
    const LIMIT: u32 = 200;
    const REQUESTS: u32 = 12;
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_plan(Plan::BASIC).start().await.unwrap();
    let request = |number: u32| {
        let start = march().start() + chrono::TimeDelta::days(number.into());
        let day = TimeRange::new(start, start + chrono::TimeDelta::days(1)).unwrap();
        let symbols = ["AAPL".parse().unwrap()];
        barkeep_orchestrator::provider::BarsRequest::new(symbols, Timeframe::D1, "iex".parse().unwrap(), day).unwrap()
    };
    let started = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for half in 0..2 {
        let alpaca = provider(&simulator);
        let limits = Limits { requests_a_minute: Some(LIMIT), ..alpaca.limits() };
        let backend = scene.backend().await;
        let shared = Budgeted::share(alpaca.with_limits(limits), &backend, "account").await.unwrap();
        asking.spawn(async move {
            for number in 0..REQUESTS / 2 {
                shared.page(&request(half * REQUESTS / 2 + number), None).await.unwrap();
            }
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    // The first is free, and the others come at the pace of the limit.
    let least = Duration::from_secs(60) * (REQUESTS - 1) / LIMIT;
    assert!(started.elapsed() >= least, "{:?} for {REQUESTS} requests", started.elapsed());
    assert_eq!((simulator.requests().bars, simulator.requests().limited), (REQUESTS.into(), 0));
}
