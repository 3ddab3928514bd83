//! The suite once more, as a worker that has no rights but those of `roles.sql`; and what such a role cannot do.

use barkeep_database::Postgres;
use barkeep_queue::{Inspect, NewJob, PostgresQueue, Queue};
use barkeep_test_postgres::TestDatabase;
use sqlx::{Connection, Executor, PgConnection};

/// Roles belong to the server, so that tests meet in making them. The key of the lock is of no other use.
pub(crate) const ROLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(7109);
    DO $$ BEGIN
        IF to_regrole('barkeep_worker') IS NULL THEN CREATE ROLE barkeep_worker; END IF;
        IF to_regrole('barkeep_reader') IS NULL THEN CREATE ROLE barkeep_reader; END IF;
    END $$;
    COMMIT;
";

async fn database() -> TestDatabase {
    let test = TestDatabase::create().await;
    let mut owner = PgConnection::connect(test.url()).await.unwrap();
    owner.execute(ROLES).await.unwrap();
    PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    owner.execute(include_str!("../../roles.sql")).await.unwrap();
    owner.close().await.unwrap();
    test
}

async fn queue_as(role: &str, test: &TestDatabase) -> PostgresQueue {
    let joint = if test.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{joint}options=-c%20role%3D{role}", test.url());
    PostgresQueue::open(&Postgres::connect(&url).await.unwrap()).await.unwrap()
}

pub(crate) async fn queue() -> (PostgresQueue, TestDatabase) {
    let test = database().await;
    (queue_as("barkeep_worker", &test).await, test)
}

barkeep_queue::queue_conformance!(queue());

async fn refused(role: &str, statements: &[&'static str]) {
    let test = database().await;
    let mut connection = PgConnection::connect(test.url()).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("SET ROLE {role}"))).await.unwrap();
    for statement in statements {
        let error = connection.execute(*statement).await.unwrap_err();
        let code = error.as_database_error().and_then(|refusal| refusal.code()).map(|code| code.to_string());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn a_worker_cannot_change_tables_or_what_is_past() {
    refused(
        "barkeep_worker",
        &[
            "DROP TABLE barkeep.queue_job",
            "TRUNCATE barkeep.queue_done",
            "CREATE TABLE barkeep.mine (id int)",
            "ALTER TABLE barkeep.queue_done ADD COLUMN mine int",
            "DELETE FROM barkeep.queue_attempt",
            "UPDATE barkeep.database_migration SET version = 99",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_reader_looks_and_changes_nothing() {
    let test = database().await;
    let (worker, reader) = (queue_as("barkeep_worker", &test).await, queue_as("barkeep_reader", &test).await);
    worker.enqueue(&[NewJob::new("test", serde_json::json!(1))]).await.unwrap();
    assert_eq!(reader.counts().await.unwrap()["test"].ready, 1);
    assert_eq!(reader.live("test").await.unwrap().len(), 1);
    let error = reader.enqueue(&[NewJob::new("test", serde_json::json!(2))]).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("DATABASE_ACCESS_DENIED", false));
    refused(
        "barkeep_reader",
        &[
            "DELETE FROM barkeep.queue_job",
            "UPDATE barkeep.queue_lease SET lease_until = now()",
            "SELECT barkeep.queue_prune(now(), now(), 1)",
        ],
    )
    .await;
}
