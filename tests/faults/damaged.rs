//! A database that others have changed or damaged. What runs ends and says what it was, no slice suffers for it, and once it is
//! mended the next run goes on to the end.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use barkeep_orchestrator::catalog::Narrowing;
use barkeep_orchestrator::database::Location;
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::{Backend, Error, HealthStatus, Orchestrator, SliceJob, in_one_line};
use tests::{Kind, Scene, Vendor, check};
use tokio_util::sync::CancellationToken;

use crate::full::unattended;
use crate::{WEEKS, definition_of, window};

/// One thing that others do, how it is undone, and what names it.
#[derive(Clone, Copy)]
struct Change {
    done: &'static str,
    undone: &'static str,
    name: &'static str,
}

const COLUMN: Change = Change {
    done: "ALTER TABLE store_bar RENAME COLUMN volume TO size",
    undone: "ALTER TABLE store_bar RENAME COLUMN size TO volume",
    name: "volume",
};
const TABLE: Change = Change {
    done: "ALTER TABLE queue_lease RENAME TO lease",
    undone: "ALTER TABLE lease RENAME TO queue_lease",
    name: "queue_lease",
};

/// Runs until it ends by itself, which it is to do soon.
async fn ends(running: &Orchestrator) -> Error {
    let stop = CancellationToken::new();
    let ran = tokio::time::timeout(Duration::from_secs(30), running.run(&stop)).await;
    ran.expect("it ends and does not try for ever").unwrap_err()
}

/// Whether the health is red, and says so in these words.
async fn is_red(looking: &Orchestrator, words: &str) {
    let health = looking.health().await;
    assert_eq!(health.status, HealthStatus::Failing, "{health:?}");
    assert!(health.concerns.iter().any(|concern| concern.reason.contains(words)), "{words}: {health:?}");
}

async fn changed_while_open(kind: Kind, change: Change) {
    let (scene, vendor) = (Scene::on(kind).await, Vendor::start().await);
    let running = unattended(&vendor, scene.backend().await);
    let looking = unattended(&vendor, scene.backend().await);
    running.backend().catalog.upsert(&definition_of(WEEKS), Narrowing::Allow).await.unwrap();
    scene.execute(change.done).await;

    let error = ends(&running).await;
    assert_eq!(error.code(), "SCHEMA_DRIFT", "{}", in_one_line(&error));
    assert!(in_one_line(&error).contains(change.name), "{}", in_one_line(&error));
    is_red(&looking, change.name).await;
    let asked = vendor.simulator.requests().total;
    assert!(asked < 50, "{asked} requests for nothing");

    scene.execute(change.undone).await;
    let live = looking.backend().inspect.live(SliceJob::KIND).await.unwrap();
    assert!(live.iter().all(|job| job.attempt <= 1), "no attempt is used up: {live:?}");
    let report = looking.backfill(&[definition_of(WEEKS)], &CancellationToken::new()).await.unwrap();
    assert!(report.complete, "{report:?}");
    check(&scene, vendor.simulator.market(), &definition_of(WEEKS), window(WEEKS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_others_renamed_in_postgresql_ends_the_work_and_is_named() {
    changed_while_open(Kind::Postgres, COLUMN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_others_renamed_in_sqlite_ends_the_work_and_is_named() {
    changed_while_open(Kind::Sqlite, COLUMN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_others_renamed_in_sqlite_ends_the_work_and_is_named() {
    changed_while_open(Kind::Sqlite, TABLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_others_renamed_in_postgresql_ends_the_work_and_is_named() {
    let done = "ALTER FUNCTION queue_claim RENAME TO claim";
    let undone = "ALTER FUNCTION claim RENAME TO queue_claim";
    changed_while_open(Kind::Postgres, Change { done, undone, name: "queue_claim" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_dropped_is_missed_at_the_next_start_even_if_no_statement_would_miss_it() {
    for kind in [Kind::Postgres, Kind::Sqlite] {
        let scene = Scene::on(kind).await;
        let looking = unattended(&Vendor::start().await, scene.backend().await);
        scene.execute("DROP INDEX queue_done_failed").await;
        scene.execute("DROP VIEW coverage_v1").await;
        let error = Backend::open(&scene.location(), ProviderName::ALPACA).await.unwrap_err();
        assert_eq!(error.code(), "SCHEMA_DRIFT");
        let said = in_one_line(&error);
        assert!(
            said.contains("view coverage_v1 of store") || said.contains("index queue_done_failed of queue"),
            "{said}"
        );
        assert_eq!(looking.health().await.status, HealthStatus::Healthy, "what is open goes on as it can");
    }
}

/// The file of a scene, which is open, with all that was written in it.
fn file_of(scene: &Scene) -> PathBuf {
    let path = path_of(scene);
    fold(&path);
    path
}

pub(crate) fn path_of(scene: &Scene) -> PathBuf {
    let Location::Sqlite(path) = scene.location() else { panic!("not a file: {scene:?}") };
    path
}

/// Moves what is in the write-ahead log into the file.
pub(crate) fn fold(path: &Path) {
    sqlite3(path, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Runs a command over a file as whoever looks after it would.
pub(crate) fn sqlite3(path: &Path, command: &str) {
    let done = Command::new("sqlite3").arg(path).arg(command).status().unwrap();
    assert!(done.success(), "{command}");
}

/// What `others` do to the file while it is open ends the work, which names it, and makes no other one.
async fn file_changed_while_open(code: &str, others: impl FnOnce(&Path)) {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    let running = unattended(&vendor, scene.backend().await);
    running.backend().catalog.upsert(&definition_of(WEEKS), Narrowing::Allow).await.unwrap();
    let path = file_of(&scene);
    others(&path);
    let after = std::fs::read(&path).ok();

    let error = ends(&running).await;
    let said = in_one_line(&error);
    assert_eq!(error.code(), code, "{said}");
    assert!(said.contains(path.to_str().unwrap()), "{said}");
    is_red(&running, path.to_str().unwrap()).await;
    assert_eq!(running.snapshot().totals.slices, 0, "nothing counts as done");
    assert!(std::fs::read(&path).ok() == after, "it was left as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_others_deleted_ends_the_work_and_is_not_made_anew() {
    file_changed_while_open("DATABASE_UNREADABLE", |path| std::fs::remove_file(path).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_whose_place_others_put_another_ends_the_work() {
    let replace = |path: &Path| {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, NOTES.repeat(100)).unwrap();
    };
    file_changed_while_open("DATABASE_UNREADABLE", replace).await;
}

/// Long enough, repeated, to have had a header.
pub(crate) const NOTES: &str = "not a database, and somebody needs it ";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_not_made_one() {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    let Location::Sqlite(path) = scene.location() else { unreachable!() };
    std::fs::write(&path, NOTES.repeat(100)).unwrap();
    let outcome = crate::start(&scene, &vendor).end().await;
    assert_ne!(outcome.code, Some(0));
    assert!(
        outcome.stderr.contains(path.to_str().unwrap()) && outcome.stderr.contains("it was left as it is"),
        "{outcome:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), NOTES.repeat(100));
}

/// As somebody whom the modes of files hold for: they do not for root.
async fn run_without_rights(path: &Path) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("backfill");
    std::fs::copy(env!("CARGO_BIN_EXE_backfill"), &program).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(&program);
    let what = ["--symbols", "AAPL", "--timeframe", "d1", "--from", "2024-03-01", "--to", "2024-03-08", "--database"];
    command.args(what).arg(format!("sqlite://{}", path.display())).current_dir(folder.path());
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap()) == 0 {
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
    }
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_or_a_folder_that_may_not_be_written_to_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (there, absent) = (folder.path().join("bars.db"), folder.path().join("none.db"));
    let location: Location = format!("sqlite://{}", there.display()).parse().unwrap();
    let backend = Backend::open(&location, ProviderName::ALPACA).await.unwrap();
    fold(&there);
    drop(backend);
    let before = std::fs::read(&there).unwrap();
    std::fs::set_permissions(&there, PermissionsExt::from_mode(0o444)).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o555)).unwrap();
    for path in [&there, &absent] {
        let output = run_without_rights(path).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(path.to_str().unwrap()), "{said}");
        assert!(said.contains("may be written to"), "{said}");
    }
    assert_eq!(std::fs::read(&there).unwrap(), before);
    assert!(!absent.exists());
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
}
