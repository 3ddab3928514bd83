//! A backup taken while slices run, put back after the world has gone on: the next run fetches what is missing since.

use std::path::Path;
use std::process::Command;

use barkeep_alpaca_sim::{Injection, WireFault};
use barkeep_orchestrator::database::Location;
use barkeep_test_postgres::program;
use tests::{Kind, Scene, Vendor, everything};

use crate::damaged::sqlite3;
use crate::{comes_to_the_fault, go_on, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_postgresql_with_work_in_flight_is_restored_and_goes_on() {
    restored(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_sqlite_with_work_in_flight_is_restored_and_goes_on() {
    restored(Kind::Sqlite).await;
}

async fn restored(kind: Kind) {
    let (scene, vendor) = (Scene::on(kind).await, Vendor::start().await);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    drop(scene.backend().await);

    // One page is stored, and the next is asked for: half the work, a lease, slices that wait.
    vendor.simulator.inject(Injection::of(WireFault::NoAnswer).after(1));
    let mut child = start(&scene, &vendor);
    comes_to_the_fault(&mut child, &vendor).await;
    let at_backup = in_flight(&scene).await;
    assert!(at_backup.0 > 0 && at_backup.1 > 0, "bars and a lease: {at_backup:?}");
    back_up(&scene, &backup);

    // The world goes on to the end, and then the database is lost.
    child.kill().await;
    vendor.simulator.clear_faults();
    go_on(&scene, &vendor).await;
    let still_open = scene.backend().await;
    let bars = everything(&*still_open.store).await;
    restore(&scene, &backup);
    drop(still_open);
    assert_eq!(in_flight(&scene).await, at_backup, "as it was when it was backed up");

    let before = vendor.simulator.requests().bars;
    go_on(&scene, &vendor).await;
    assert!(vendor.simulator.requests().bars > before, "what was missing was fetched again");
    assert_eq!(everything(&*scene.backend().await.store).await, bars);
}

/// How many bars are stored and slices leased.
async fn in_flight(scene: &Scene) -> (i64, i64) {
    (scene.count("SELECT count(*) FROM store_bar").await, scene.count("SELECT count(*) FROM queue_lease").await)
}

/// As docs/operating.md says.
fn back_up(scene: &Scene, backup: &Path) {
    match scene.location() {
        Location::Postgres(url) => {
            let dump = ["--format=custom", "--schema=barkeep", url.as_str()];
            run(Command::new(program("pg_dump")).args(dump).arg("--file").arg(backup));
        }
        Location::Sqlite(file) => sqlite3(&file, &format!(".backup {}", backup.display())),
    }
}

/// As docs/operating.md says.
fn restore(scene: &Scene, backup: &Path) {
    match scene.location() {
        Location::Postgres(url) => {
            let aside = "ALTER SCHEMA barkeep RENAME TO before_restore";
            run(Command::new(program("psql")).args([url.as_str(), "-v", "ON_ERROR_STOP=1", "-c", aside]));
            let (how, into) = (["--exit-on-error", "--single-transaction"], format!("--dbname={url}"));
            run(Command::new(program("pg_restore")).args(how).arg(into).arg(backup));
            run(Command::new(program("psql")).args([url.as_str(), "-c", "DROP SCHEMA before_restore CASCADE"]));
        }
        Location::Sqlite(file) => sqlite3(&file, &format!(".restore {}", backup.display())),
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
