//! A SQLite file that may not be written to any more, or that others wrote over, while processes have it open. They end soon
//! and say which file it was and what to do, and once that is done the next ones go on to the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_trait::async_trait;
use barkeep_alpaca_sim::{Injection, WireFault};
use barkeep_orchestrator::catalog::Narrowing;
use barkeep_orchestrator::database;
use barkeep_orchestrator::queue::{self, Spent, Vitals, Watch};
use barkeep_orchestrator::{Health, HealthStatus, Orchestrator, in_one_line};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tests::{Child, Kind, Outcome, Scene, Vendor, check};
use tokio_util::sync::CancellationToken;

use crate::damaged::{NOTES, fold, path_of, sqlite3};
use crate::full::{unattended, until};
use crate::{WEEKS, arguments, comes_to_the_fault, definition_of, go_on, window};

/// The arguments with which `sh` starts a program that ends by no signal of the kernel's when it may not write.
fn unsignalled<'a>(program: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", program], arguments].concat()
}

/// A job that has stored one page and waits for the next one.
async fn half_way(scene: &Scene, vendor: &Vendor) -> Child {
    drop(scene.backend().await);
    vendor.simulator.inject(Injection::of(WireFault::NoAnswer).after(1));
    let arguments = arguments(scene.url(), WEEKS);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = vendor.start_child("sh", &unsignalled(env!("CARGO_BIN_EXE_backfill"), &arguments));
    comes_to_the_fault(&mut child, vendor).await;
    vendor.simulator.clear_faults();
    child
}

/// Whether it ended in time, with this code, and said which file it was and what to do.
fn said(outcome: &Outcome, code: i32, scene: &Scene, what_to_do: &str) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: ") && last.contains(path_of(scene).to_str().unwrap()), "{outcome:?}");
    assert!(last.contains(what_to_do), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_read_only_ends_a_run_that_somebody_waits_for() {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    let child = half_way(&scene, &vendor).await;
    child.forbid_writes();
    let asked = vendor.simulator.requests().total;
    said(&child.end().await, 3, &scene, "may be written to");
    assert!(vendor.simulator.requests().total <= asked + 2, "asked for what it cannot store");
    go_on(&scene, &vendor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_read_only_ends_unattended_work_and_the_next_start_goes_on() {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    scene.backend().await.catalog.upsert(&definition_of(WEEKS), Narrowing::Allow).await.unwrap();
    let arguments = ["--database", scene.url(), "--every", "1"];
    let mut child = vendor.start_child("sh", &unsignalled(env!("CARGO_BIN_EXE_daemon"), &arguments));
    let stored = async {
        while scene.count("SELECT count(*) FROM store_bar").await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    child.while_it_runs(Duration::from_secs(60), stored).await;
    child.forbid_writes();
    said(&child.end().await, 1, &scene, "may be written to");

    // A slice that it had in hand is to be had once its lease has lapsed.
    let filling = [&arguments[..], &["--until-filled"]].concat();
    let outcome = vendor.start_child(env!("CARGO_BIN_EXE_daemon"), &filling).end().await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    check(&scene, vendor.simulator.market(), &definition_of(WEEKS), window(WEEKS)).await;
}

/// Leaves no sign of life while the file can only be read.
#[derive(Debug)]
struct Voiceless {
    watch: Arc<dyn Watch>,
    is_read_only: Arc<AtomicBool>,
}

#[async_trait]
impl Watch for Voiceless {
    async fn vitals(&self, kind: &str) -> queue::Result<Vitals> {
        self.watch.vitals(kind).await
    }

    async fn beat(&self, name: &str, holder: &str, note: &Value) -> queue::Result<()> {
        if self.is_read_only.load(Relaxed) {
            let source = "attempt to write a readonly database".into();
            return Err(database::Error::Unreadable { path: "bars.db".into(), source }.into());
        }
        self.watch.beat(name, holder, note).await
    }

    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> queue::Result<Vec<Spent>> {
        self.watch.spent(kind, since).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_can_leave_no_note_still_tells_what_ended_its_work() {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    let mut backend = scene.backend().await;
    let is_read_only = Arc::new(AtomicBool::new(true));
    backend.watch = Arc::new(Voiceless { watch: backend.watch, is_read_only: Arc::clone(&is_read_only) });
    let running = unattended(&vendor, backend);
    assert_eq!(running.run(&CancellationToken::new()).await.unwrap_err().code(), "DATABASE_UNREADABLE");
    becomes_unusable(&running, "bars.db").await;

    is_read_only.store(false, Relaxed);
    let stop = CancellationToken::new();
    let well = async {
        until("told no more", async || !running.health().await.has("DatabaseUnusable")).await;
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(running.run(&stop), well);
    ran.unwrap();
}

/// Waits until the health is red for what is in the database, and says so in these words.
async fn becomes_unusable(running: &Orchestrator, words: &str) {
    let says = |health: &Health| {
        let unusable = health.concerns.iter().find(|concern| concern.rule == "DatabaseUnusable");
        unusable.is_some_and(|unusable| unusable.reason.contains(words))
    };
    until("told", async || says(&running.health().await)).await;
    assert_eq!(running.health().await.status, HealthStatus::Failing);
}

/// What `others` write over the file of a job ends it, and a backup that is put in its place is gone on with.
async fn written_over(others: impl FnOnce(&Path)) {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    let child = half_way(&scene, &vendor).await;
    let (path, folder) = (path_of(&scene), tempfile::tempdir().unwrap());
    let backup = folder.path().join("backup");
    sqlite3(&path, &format!(".backup {}", backup.display()));
    others(&path);
    let asked = vendor.simulator.requests().total;
    said(&child.end().await, 3, &scene, "put a backup in its place");
    assert!(vendor.simulator.requests().total <= asked + 2, "asked for what it cannot store");

    // As docs/operating.md says.
    for damaged in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{damaged}", path.display()));
    }
    sqlite3(&path, &format!(".restore {}", backup.display()));
    go_on(&scene, &vendor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_written_over_an_open_file_ends_the_work() {
    written_over(|path| std::fs::write(path, NOTES.repeat(10_000)).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_file_that_is_cut_short_ends_the_work() {
    written_over(|path| std::fs::write(path, NOTES).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_written_over_an_open_file_ends_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.db");
    sqlite3(&other, "CREATE TABLE other (number INTEGER); INSERT INTO other VALUES (1)");
    written_over(|path| std::fs::write(path, std::fs::read(other).unwrap()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_over_ends_unattended_work_and_the_health_says_so() {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    let (running, path) = (unattended(&vendor, scene.backend().await), path_of(&scene));
    running.backend().catalog.upsert(&definition_of(WEEKS), Narrowing::Allow).await.unwrap();
    fold(&path);
    std::fs::write(&path, NOTES.repeat(10_000)).unwrap();

    let stop = CancellationToken::new();
    let ran = tokio::time::timeout(Duration::from_secs(30), running.run(&stop)).await;
    let error = ran.expect("it ends and does not try for ever").unwrap_err();
    assert_eq!(error.code(), "DATABASE_DAMAGED", "{}", in_one_line(&error));
    becomes_unusable(&running, path.to_str().unwrap()).await;
    assert_eq!(running.snapshot().totals.slices, 0, "nothing counts as done");
    assert_eq!(vendor.simulator.requests().bars, 0, "nothing is asked for");
}
