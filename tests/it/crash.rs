//! A process is killed, or asked to stop; the next one goes on, and the bars are those of an undisturbed run.

use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_orchestrator::Backend;
use barkeep_orchestrator::types::{Bar, Series};
use tests::{Kind, Scene, everything};
use tokio::task::JoinSet;

use crate::{on_both_databases, start};

on_both_databases!(
    killed_at_several_moments_the_next_run_ends_with_the_same_bars,
    interrupted_the_slices_go_back_and_the_next_run_resumes_at_once,
);

fn arguments(url: &str) -> [&str; 11] {
    [
        "--symbols",
        "AAPL,MSFT,NVDA,AMD",
        "--timeframe",
        "m15",
        "--from",
        "2023-10-02",
        "--to",
        "2024-03-28",
        "--database",
        url,
        "--json",
    ]
}

async fn killed_at_several_moments_the_next_run_ends_with_the_same_bars(kind: Kind) {
    let undisturbed = Scene::on(kind).await;
    let outcome = start(&arguments(undisturbed.url())).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bars = everything(&*undisturbed.backend().await.store).await;
    let count = bars.values().map(Vec::len).sum::<usize>() as u64;

    let mut disturbed = JoinSet::new();
    for tenth in [0, 2, 4, 6, 8] {
        disturbed.spawn(async move { kill_and_go_on(kind, count * tenth / 10).await });
    }
    while let Some(disturbed) = disturbed.join_next().await {
        assert_eq!(disturbed.unwrap(), bars);
    }
}

/// Kills a run once it has stored so many bars, lets the next one go on, and returns what is stored then.
async fn kill_and_go_on(kind: Kind, enough: u64) -> BTreeMap<Series, Vec<Bar>> {
    let scene = Scene::on(kind).await;
    let backend = scene.backend().await;
    let child = start(&arguments(scene.url()));
    while stored(&backend).await < enough {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().await;
    let outcome = start(&arguments(scene.url())).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.json()["complete"], true);
    let counts = backend.inspect.counts().await.unwrap()["slice"];
    assert_eq!((counts.live(), counts.failed), (0, 0), "{counts:?}");
    everything(&*backend.store).await
}

async fn stored(backend: &Backend) -> u64 {
    let series = backend.store.series().await.unwrap();
    backend.store.summaries(&series).await.unwrap().iter().map(|summary| summary.bars).sum()
}

async fn interrupted_the_slices_go_back_and_the_next_run_resumes_at_once(kind: Kind) {
    let scene = Scene::on(kind).await;
    for signal in ["INT", "TERM"] {
        let child = start(&arguments(scene.url()));
        // Until it has begun to fetch.
        let backend = scene.backend().await;
        let begun = async {
            while backend.inspect.counts().await.unwrap().get("slice").is_none_or(|slices| slices.running == 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), begun).await.expect("it begins to fetch");
        child.signal(signal);
        let outcome = child.end().await;
        assert_eq!(outcome.code, Some(130), "{outcome:?}");
        assert_eq!(outcome.json()["interrupted"], true);
        let counts = backend.inspect.counts().await.unwrap()["slice"];
        assert_eq!(counts.running, 0, "no lease is left: {counts:?}");
        assert!(counts.live() > 0, "it was interrupted in the middle: {counts:?}");
    }
    let outcome = start(&arguments(scene.url())).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}
