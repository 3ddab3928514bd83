//! A process is killed, or asked to stop; the next one goes on, and the bars are those of an undisturbed run.

use std::time::{Duration, Instant};

use tests::{Kind, Scene, everything};

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
    let started = Instant::now();
    let outcome = start(&arguments(undisturbed.url())).end().await;
    let whole_run = started.elapsed();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let bars = everything(&*undisturbed.backend().await.store).await;

    let disturbed = Scene::on(kind).await;
    // From the opening of the database to shortly before the end; each run goes on where the one before was killed.
    for tenth in [1, 3, 5, 7, 9] {
        let child = start(&arguments(disturbed.url()));
        tokio::time::sleep(whole_run * tenth / 10).await;
        child.kill().await;
    }
    let outcome = start(&arguments(disturbed.url())).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.json()["complete"], true);
    let backend = disturbed.backend().await;
    assert_eq!(everything(&*backend.store).await, bars);
    let counts = backend.inspect.counts().await.unwrap()["slice"];
    assert_eq!((counts.live(), counts.failed), (0, 0), "{counts:?}");
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
