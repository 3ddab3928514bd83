//! Processes that share a database share the work.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::database::{Location, Postgres};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Orchestrator, Settings};
use tests::{Kind, Scene, everything, provider};
use tokio_util::sync::CancellationToken;

use crate::{on_both_databases, start};

on_both_databases!(two_processes_fetch_every_slice_once);

fn arguments(url: &str) -> [&str; 11] {
    [
        "--symbols",
        "AAPL,MSFT,NVDA,AMD",
        "--timeframe",
        "m15",
        "--from",
        "2024-01-02",
        "--to",
        "2024-03-28",
        "--database",
        url,
        "--json",
    ]
}

async fn two_processes_fetch_every_slice_once(kind: Kind) {
    let (alone, shared) = (Scene::on(kind).await, Scene::on(kind).await);
    let undisturbed = start(&arguments(alone.url())).end().await;
    assert_eq!(undisturbed.code, Some(0), "{undisturbed:?}");

    let (one, other) = (start(&arguments(shared.url())), start(&arguments(shared.url())));
    let outcomes = [one.end().await, other.end().await];
    let sum = |field: &str| outcomes.iter().map(|outcome| outcome.json()[field].as_u64().unwrap()).sum::<u64>();
    for outcome in &outcomes {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.json()["complete"], true);
    }
    for field in ["slices", "requests", "bars_written"] {
        assert_eq!(sum(field), undisturbed.json()[field].as_u64().unwrap(), "{field}: {outcomes:?}");
    }
    let (alone, shared) = (alone.backend().await, shared.backend().await);
    let bars = everything(&*shared.store).await;
    assert_eq!(bars, everything(&*alone.store).await);
    assert_eq!(bars.len(), 4);
    assert!(bars.keys().all(|series| series.timeframe == Timeframe::M15));
}

/// Every slice waits to store its page, each with a connection, and there are more slices than connections.
#[tokio::test(flavor = "multi_thread")]
async fn slices_that_wait_for_every_connection_there_is_keep_their_leases() {
    const LEASE: Duration = Duration::from_secs(2);
    let (scene, simulator) = (Scene::on(Kind::Postgres).await, AlpacaSim::options().with_market(Market::new(1)));
    let simulator = simulator.start().await.unwrap();
    let settings = Settings::default().with_workers(20).with_concurrency(20).with_lease(LEASE);
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, scene.backend().await, settings);
    let symbols = ('A'..='T').map(|letter| format!("A{letter}").parse().unwrap()).collect();
    let march = TimeRange::new("2024-03-01T00:00:00Z".parse().unwrap(), "2024-04-01T00:00:00Z".parse().unwrap());
    let march = Definition::new("march", symbols, vec![Timeframe::D1], Window::Fixed(march.unwrap()));
    let march = Definition { batch_size: Some(1), ..march };

    let Location::Postgres(url) = scene.location() else { panic!("{scene:?}") };
    let elsewhere = Postgres::connect(url.as_str()).await.unwrap();
    let mut holding = elsewhere.begin().await.unwrap();
    sqlx::query("LOCK TABLE barkeep.store_coverage IN EXCLUSIVE MODE").execute(&mut *holding).await.unwrap();
    let reaping = async {
        let queue = scene.backend().await.queue;
        let (until, mut reaped) = (tokio::time::Instant::now() + 4 * LEASE, 0);
        while tokio::time::Instant::now() < until {
            let taken = queue.reap().await.unwrap();
            reaped += taken.returned + taken.ended;
            tokio::time::sleep(LEASE / 20).await;
        }
        holding.commit().await.unwrap();
        reaped
    };
    let definitions = [march];
    let stop = CancellationToken::new();
    let (report, reaped) = tokio::join!(orchestrator.backfill(&definitions, &stop), reaping);
    let report = report.unwrap();
    assert!(report.complete && report.slices == 20, "{report:?}");
    assert_eq!(reaped, 0, "leases ran out");
}
