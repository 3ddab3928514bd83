//! What most likely bites whoever keeps a queue in a database: each trap that is known, and the test that shows it shut.
//!
//! | trap | test |
//! |---|---|
//! | the driver's Debug shows the password | [`no_debug_and_no_error_shows_the_password`] |
//! | a failed migration keeps its lock, and the next process hangs | `a_step_that_fails_leaves_nothing_behind_not_even_a_lock` (database) |
//! | a schema's name is pasted into SQL | [`a_hostile_schema_name_is_refused`], `an_accepted_name_cannot_end_the_statement_it_is_put_in` (database) |
//! | SQLite before 3.51.3 may corrupt its file | [`the_sqlite_in_use_is_free_of_the_wal_reset_fault`] |
//! | the driver waits for ever for a server that hangs | [`a_stopped_server_process_costs_each_verb_its_timeout_and_no_more`] |
//! | a call that timed out may have happened | [`a_claim_that_timed_out_may_have_happened`] and the two that follow |
//! | a full pool hides "connection refused" | `a_closed_port_is_named_within_five_seconds_and_the_password_is_not` (database) |
//! | making a schema races | [`eight_processes_open_a_new_queue_at_once`] |
//! | plain text to a server elsewhere, silently | `a_server_elsewhere_is_not_spoken_to_in_plain_text` (database) |
//! | two crates' migrations meet in one table | [`a_queue_lives_beside_the_migrations_of_its_host`] |
//! | docs.rs fails on a feature that is gone | [`docs_rs_is_asked_for_no_feature_that_is_gone`] |

mod opener;
mod wire;

use std::time::Duration;

use barkeep_database::{Error, Location, Postgres, PostgresSettings, SchemaName, Sqlite};
use barkeep_queue::{
    Budgets, Claim, Completion, Extension, Failure, Inspect, LeaseKey, Locks, NewJob, Outcome, PostgresQueue, Queue,
    Release, Spending, SqliteQueue,
};
use barkeep_test_postgres::{Server, TestDatabase};
use futures::future::BoxFuture;
use serde_json::json;
use sqlx::migrate::Migrator;

use opener::open_at_once;
use wire::UNLUCKY;

const KIND: &str = "trap";

fn settings(url: &str) -> PostgresSettings {
    let Location::Postgres(url) = url.parse().unwrap() else { panic!("{url} is a server's") };
    PostgresSettings::new(url)
}

fn job(key: &str) -> NewJob {
    NewJob::new(KIND, json!({"symbol": "AAPL"})).with_key(key)
}

#[tokio::test]
async fn no_debug_and_no_error_shows_the_password() {
    let test = TestDatabase::create().await;
    let mut url: url::Url = test.url().parse().unwrap();
    url.set_password(Some("canary")).unwrap();
    let queue = PostgresQueue::open(&Postgres::connect(url.as_str()).await.unwrap()).await.unwrap();
    let refused = Postgres::connect("postgres://bars:canary@127.0.0.1:1/x").await.unwrap_err();
    let shown = format!("{queue:?} {refused} {refused:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_hostile_schema_name_is_refused() {
    for name in
        ["s; DROP TABLE victim", "s\"; DROP TABLE victim; --", "s.t", "s t", "S", "1s", "", "s\0", &"s".repeat(64)]
    {
        name.parse::<SchemaName>().unwrap_err();
    }
}

#[tokio::test]
async fn the_sqlite_in_use_is_free_of_the_wal_reset_fault() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::open(folder.path().join("queue.db")).await.unwrap();
    let mut connection = database.connection().await.unwrap();
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    let version: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version >= vec![3, 51, 3], "{version:?}");
}

type Verb<'a> = (&'static str, BoxFuture<'a, barkeep_queue::Result<()>>);

fn verbs<'a>(queue: &'a PostgresQueue, keys: &'a [LeaseKey]) -> Vec<Verb<'a>> {
    let lease = Duration::from_secs(60);
    vec![
        ("enqueue", Box::pin(async { queue.enqueue(&[job("late")]).await.map(drop) })),
        ("claim", Box::pin(async { queue.claim(&Claim::new(KIND, "worker")).await.map(drop) })),
        ("extend", Box::pin(async move { queue.extend(keys, lease).await.map(drop) })),
        ("complete", Box::pin(async { queue.complete(&[Completion::new(keys[0])]).await.map(drop) })),
        ("fail", Box::pin(async { queue.fail(&[Failure::new(keys[0], "CODE", "text")]).await.map(drop) })),
        ("release", Box::pin(async { queue.release(&[Release::new(keys[0])]).await.map(drop) })),
        ("spend", Box::pin(async { queue.spend(&[Spending::new(keys[0], 1)]).await })),
        ("reap", Box::pin(async { queue.reap().await.map(drop) })),
        ("counts", Box::pin(async { queue.counts().await.map(drop) })),
        ("lock", Box::pin(async move { queue.lock("name", "holder", lease).await.map(drop) })),
        ("block", Box::pin(async move { queue.block("none", lease).await.map(drop) })),
    ]
}

#[tokio::test]
async fn a_stopped_server_process_costs_each_verb_its_timeout_and_no_more() {
    // A server of our own, since its processes are stopped by their numbers.
    let server = Server::start();
    let limit = Duration::from_millis(700);
    let direct = PostgresQueue::open(&Postgres::connect(&server.url()).await.unwrap()).await.unwrap();
    direct.enqueue(&[job("a")]).await.unwrap();
    let keys = [direct.claim(&Claim::new(KIND, "worker")).await.unwrap()[0].key()];
    let tight = settings(&server.url()).with_timeout(limit).with_connections(1);
    let queue = PostgresQueue::open(&Postgres::connect_with(tight).await.unwrap()).await.unwrap();
    let watch = Postgres::connect(&server.url()).await.unwrap();
    for (name, verb) in verbs(&queue, &keys) {
        // Its one connection, which the verb before this one has cost it.
        while queue.counts().await.is_err() {}
        let stopped = wire::stop_the_last_to_ask(&watch).await;
        let asked = tokio::time::Instant::now();
        let error = verb.await.expect_err(name);
        let took = asked.elapsed();
        stopped.resume();
        // Busy if the pool found out, by asking the connection whether it is well; timed out if the verb did.
        assert!(
            ["DATABASE_BUSY", "DATABASE_TIMEOUT"].contains(&error.code()) && error.is_transient(),
            "{name}: {error:?}"
        );
        assert!(took < limit * 10, "{name} took {took:?}");
    }
    assert_eq!(direct.extend(&keys, Duration::from_secs(60)).await.unwrap().len(), 1, "the server goes on");
}

/// A queue whose server's answers get lost once it was told something [`UNLUCKY`], and one where they do not.
async fn ambiguous() -> (PostgresQueue, PostgresQueue, TestDatabase) {
    let test = TestDatabase::create().await;
    let direct = PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    let url = wire::to(test.url()).await;
    let tight = settings(&url).with_timeout(Duration::from_secs(3)).with_connections(1);
    let queue = PostgresQueue::open(&Postgres::connect_with(tight).await.unwrap()).await.unwrap();
    (queue, direct, test)
}

fn assert_timed_out<T: std::fmt::Debug>(answer: barkeep_queue::Result<T>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, barkeep_queue::Error::Database(Error::TimedOut { .. })), "{error:?}");
}

/// Whoever asked has given up, but the server may still be at it.
async fn until_the_server_has_done_it<F: Future<Output = bool>>(is_done: impl Fn() -> F) {
    let waiting = async {
        while !is_done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("the server does what it was asked");
}

#[tokio::test]
async fn a_claim_that_timed_out_may_have_happened() {
    let (queue, direct, _test) = ambiguous().await;
    direct.enqueue(&[job("a")]).await.unwrap();
    assert_timed_out(queue.claim(&Claim::new(KIND, UNLUCKY).with_lease(Duration::from_secs(60))).await);
    until_the_server_has_done_it(async || direct.counts().await.unwrap()[KIND].running == 1).await;
    assert_eq!(direct.claim(&Claim::new(KIND, "other")).await.unwrap(), [], "nobody may have it yet");
    direct.advance(Duration::from_secs(61));
    assert_eq!(direct.reap().await.unwrap().returned, 1);
    assert_eq!(direct.claim(&Claim::new(KIND, "other")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_completion_that_timed_out_may_have_happened_and_is_safe_to_repeat() {
    let (queue, direct, _test) = ambiguous().await;
    let ids = queue.enqueue(&[job("a")]).await.unwrap();
    let key = queue.claim(&Claim::new(KIND, "worker")).await.unwrap()[0].key();
    assert_timed_out(queue.complete(&[Completion::new(key).with_result(json!(UNLUCKY))]).await);
    until_the_server_has_done_it(async || direct.counts().await.unwrap()[KIND].succeeded == 1).await;
    let repeated = direct.complete(&[Completion::new(key)]).await.unwrap();
    assert_eq!(repeated, [key], "the lease was spent by the first time");
    assert_eq!(direct.extend(&[key], Duration::from_secs(1)).await.unwrap(), [Extension::Lost]);
    let finished = direct.finished(&[ids[0].unwrap()]).await.unwrap();
    assert_eq!(finished.iter().map(|job| job.outcome).collect::<Vec<_>>(), [Outcome::Succeeded]);
}

#[tokio::test]
async fn jobs_whose_adding_timed_out_are_not_added_twice() {
    let (queue, direct, _test) = ambiguous().await;
    assert_timed_out(queue.enqueue(&[job("a"), job(UNLUCKY)]).await);
    until_the_server_has_done_it(async || !direct.counts().await.unwrap().is_empty()).await;
    assert_eq!(direct.enqueue(&[job("a"), job(UNLUCKY), job("c")]).await.unwrap().iter().flatten().count(), 1);
    assert_eq!(direct.counts().await.unwrap()[KIND].ready, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_open_a_new_queue_at_once() {
    let test = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    for place in [test.url().to_owned(), format!("sqlite://{}", file.display())] {
        tokio::task::spawn_blocking(move || open_at_once(&place, 8)).await.unwrap();
    }
    let queue = PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    assert_eq!(queue.counts().await.unwrap()[opener::KIND].ready, 8);
    let queue = SqliteQueue::open(&Sqlite::open(&file).await.unwrap()).await.unwrap();
    assert_eq!(queue.counts().await.unwrap()[opener::KIND].ready, 8);
}

/// An application with migrations of its own, by the driver's own means, in the driver's own table.
async fn host() -> Migrator {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1_orders.sql"), "CREATE TABLE orders (id int)").unwrap();
    std::fs::write(folder.path().join("2_queue_job.sql"), "CREATE TABLE queue_orders (id int)").unwrap();
    Migrator::new(folder.path()).await.unwrap()
}

#[tokio::test]
async fn a_queue_lives_beside_the_migrations_of_its_host() {
    for host_is_first in [true, false] {
        let test = TestDatabase::create().await;
        let pool = sqlx::PgPool::connect(test.url()).await.unwrap();
        let open = async || PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
        if !host_is_first {
            open().await;
        }
        host().await.run(&pool).await.unwrap();
        open().await.enqueue(&[job("a")]).await.unwrap();
        host().await.run(&pool).await.unwrap();
        assert_eq!(open().await.counts().await.unwrap()[KIND].ready, 1);
        pool.close().await;
    }
}

#[tokio::test]
async fn a_queue_lives_beside_the_migrations_of_its_host_in_a_file() {
    for host_is_first in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.db");
        let open = async || SqliteQueue::open(&Sqlite::open(&file).await.unwrap()).await.unwrap();
        // The host opens its file in its own way, and the queue's comes first or second.
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        if !host_is_first {
            open().await;
        }
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        host().await.run(&pool).await.unwrap();
        open().await.enqueue(&[job("a")]).await.unwrap();
        host().await.run(&pool).await.unwrap();
        assert_eq!(open().await.counts().await.unwrap()[KIND].ready, 1);
        pool.close().await;
    }
}

#[test]
fn docs_rs_is_asked_for_no_feature_that_is_gone() {
    let asks = include_str!("../../src/lib.rs").lines().find(|line| line.contains("cfg_attr(docsrs"));
    assert_eq!(asks, Some("#![cfg_attr(docsrs, feature(doc_cfg))]"));
}
