//! Processes that share a database share the work.

use barkeep_orchestrator::types::Timeframe;
use tests::{Kind, Scene, everything};

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
