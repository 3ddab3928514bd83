//! Bad input is answered with one line of what, why and what to do, and nothing is half written.

use std::time::{Duration, Instant};

use barkeep_alpaca_sim::AlpacaSim;
use tests::{Child, Kind, Outcome, Scene};

use crate::start;

/// Runs the example, which must refuse with this exit code and one line that has all these words.
async fn refused(code: i32, words: &[&str], arguments: &[&str]) -> Outcome {
    let outcome = start(arguments).end().await;
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert_eq!(outcome.stdout, "", "{outcome:?}");
    let errors: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    let [error] = errors[..] else { panic!("one line says what is wrong: {outcome:?}") };
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
    outcome
}

/// Refused before anything is opened: no database is left behind.
async fn refused_without_a_trace(words: &[&str], arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bars.db");
    let url = format!("sqlite://{}", file.display());
    refused(3, words, &[&["--database", &url], arguments].concat()).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_unknown_timeframe() {
    refused_without_a_trace(&["2h", "m1, m5"], &["--timeframe", "2h"]).await;
}

#[tokio::test]
async fn a_malformed_symbol() {
    refused_without_a_trace(&["A&B", "letters"], &["--symbols", "AAPL,A&B"]).await;
}

#[tokio::test]
async fn a_window_that_ends_before_it_starts() {
    refused_without_a_trace(&["2024-03-01", "not after the start"], &["--from", "2024-03-01", "--to", "2024-01-01"])
        .await;
}

#[tokio::test]
async fn a_day_that_is_none() {
    refused_without_a_trace(&["2024-02-31"], &["--from", "2024-02-31", "--to", "2024-03-01"]).await;
}

#[tokio::test]
async fn an_option_that_is_none() {
    refused_without_a_trace(&["--symbol"], &["--symbol", "AAPL"]).await;
}

#[tokio::test]
async fn a_port_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused_without_a_trace(&[&port, "in use", "choose another"], &["--port", &port]).await;
}

#[tokio::test]
async fn a_folder_without_recorded_bars() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    refused_without_a_trace(&[&data, ".csv"], &["--data", &data]).await;
}

#[tokio::test]
async fn live_without_credentials() {
    refused_without_a_trace(&["APCA_API_KEY_ID"], &["--live"]).await;
}

#[tokio::test]
async fn credentials_that_the_vendor_refuses() {
    let simulator = AlpacaSim::options().with_keys("good", "better").start().await.unwrap();
    let scene = Scene::on(Kind::Sqlite).await;
    let (url, program) = (simulator.base_url(), env!("CARGO_BIN_EXE_backfill"));
    let keys = [("APCA_API_DATA_URL", url.as_str()), ("APCA_API_KEY_ID", "canary"), ("APCA_API_SECRET_KEY", "canary")];
    let outcome = Child::start_with(program, &["--live", "--database", scene.url()], &keys).end().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(4), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("error: the vendor refuses the credentials"), "{outcome:?}");
    assert!(!outcome.stderr.contains("canary"), "{outcome:?}");
    // Nothing is held against the slices: with the right keys the next run fills them.
    let counts = scene.backend().await.inspect.counts().await.unwrap()["slice"];
    assert_eq!((counts.running, counts.failed), (0, 0), "{counts:?}");
}

#[tokio::test]
async fn a_database_that_is_none() {
    refused(3, &["expected sqlite://FILE or postgres://"], &["--database", "mysql://u:canary@h/db"]).await;
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let notes = "these are notes and no database; ".repeat(40);
    std::fs::write(&file, &notes).unwrap();
    let url = format!("sqlite://{}", file.display());
    refused(3, &["notes.txt", "not a SQLite database", "name another file"], &["--database", &url]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), notes);
}

#[tokio::test]
async fn a_folder_that_is_not_there() {
    refused(3, &["no/such/bars.db", "folder exists"], &["--database", "sqlite://no/such/bars.db"]).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let scene = Scene::on(kind).await;
        scene.backend().await;
        scene.execute("INSERT INTO database_migration (component, version) VALUES ('store', 999)").await;
        refused(3, &["store", "999", "upgrade"], &["--database", scene.url()]).await;
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_connection() {
    let asked = Instant::now();
    let arguments = ["--database", "postgres://bars:canary@127.0.0.1:1/market"];
    let outcome = refused(3, &["127.0.0.1:1", "refused"], &arguments).await;
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(!outcome.stderr.contains("canary"), "{outcome:?}");
}

#[tokio::test]
async fn a_second_interruption_ends_the_program_at_once() {
    let scene = Scene::on(Kind::Sqlite).await;
    let mut child = start(&["--timeframe", "m1", "--database", scene.url()]);
    child.says("slices").await;
    child.signal("INT");
    child.signal("INT");
    let outcome = child.end().await;
    assert_eq!(outcome.code, Some(130), "{outcome:?}");
}
