//! The unattended example as a process of its own: it ends well when told to, and at once when told twice.

use std::time::Duration;

use barkeep_orchestrator::{Backend, SliceJob};
use tests::{Child, Kind, Outcome, Scene, everything};

use crate::on_both_databases;

on_both_databases!(
    f08_nothing_enabled_is_said_and_is_no_failure,
    f06_two_workers_fill_what_the_catalog_names_and_end_well_when_told,
    told_twice_it_stops_at_once,
);

fn start(arguments: &[&str]) -> Child {
    Child::start(env!("CARGO_BIN_EXE_daemon"), arguments)
}

async fn f08_nothing_enabled_is_said_and_is_no_failure(kind: Kind) {
    let scene = Scene::on(kind).await;
    let outcome = start(&["--database", scene.url(), "--until-filled"]).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("no definition is enabled"), "{outcome:?}");
}

/// Waits until slices run.
async fn until_it_works(backend: &Backend) {
    let working = async {
        while running(backend).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), working).await.expect("it begins to work");
}

async fn assert_no_lease_is_left(backend: &Backend, outcome: &Outcome) {
    assert_eq!(running(backend).await, 0, "{outcome:?}");
}

async fn f06_two_workers_fill_what_the_catalog_names_and_end_well_when_told(kind: Kind) {
    let scene = Scene::on(kind).await;
    let backend = scene.backend().await;
    let child = start(&["--database", scene.url(), "--preset"]);
    until_it_works(&backend).await;
    child.signal("TERM");
    let outcome = child.end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_no_lease_is_left(&backend, &outcome).await;

    let outcome = start(&["--database", scene.url(), "--until-filled", "--every", "1"]).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("nothing is missing"), "{outcome:?}");
    assert_no_lease_is_left(&backend, &outcome).await;
    assert_eq!(everything(&*backend.store).await.len(), 20);
}

async fn told_twice_it_stops_at_once(kind: Kind) {
    let scene = Scene::on(kind).await;
    let backend = scene.backend().await;
    let child = start(&["--database", scene.url(), "--preset"]);
    // It cannot give its slices back while somebody holds the database, and would wait for that.
    let held = loop {
        until_it_works(&backend).await;
        let held = scene.hold().await;
        if running(&backend).await > 0 {
            break held;
        }
    };
    child.signal("TERM");
    child.signal("INT");
    let outcome = child.end().await;
    assert_eq!(outcome.code, Some(130), "{outcome:?}");
    // What it was about to give back when it ended may still come to be, once the database is let go.
    assert!(running(&backend).await > 0, "as if it had been killed");
    drop(held);
}

async fn running(backend: &Backend) -> u64 {
    let counts = backend.inspect.counts().await.unwrap();
    counts.get(SliceJob::KIND).map_or(0, |slices| slices.running)
}
