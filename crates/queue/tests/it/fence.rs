//! A lease that another component of the same database asks about, in a transaction of its own.

use std::time::Duration;

use barkeep_database::{Postgres, PostgresSettings, Sqlite};
use barkeep_queue::conformance::Subject;
use barkeep_queue::{
    Claim, Completion, Extension, Fence, Lease, MemoryQueue, NewJob, PostgresQueue, Queue, SqliteQueue,
};
use barkeep_test_postgres::TestDatabase;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::sessions::until_waiting;

const LEASE: Duration = Duration::from_secs(60);

async fn leased(queue: &dyn Subject) -> (Lease, Fence) {
    queue.enqueue(&[NewJob::new("test", json!(1))]).await.unwrap();
    let lease = queue.claim(&Claim::new("test", "worker").with_lease(LEASE)).await.unwrap().remove(0);
    let fence = lease.fence().unwrap();
    assert_eq!(fence.job(), lease.id.number());
    (lease, fence)
}

async fn holds_in_postgres(database: &Postgres, fence: &Fence) -> bool {
    let mut transaction = database.begin().await.unwrap();
    let asked = AssertSqlSafe(fence.sql().to_owned());
    let held =
        sqlx::query(asked).bind(fence.job()).bind(fence.token()).fetch_optional(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    held.is_some()
}

async fn holds_in_sqlite(database: &Sqlite, fence: &Fence) -> bool {
    let mut transaction = database.begin().await.unwrap();
    let asked = AssertSqlSafe(fence.sql().to_owned());
    let held =
        sqlx::query(asked).bind(fence.job()).bind(fence.token()).fetch_optional(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    held.is_some()
}

/// Takes the job of a lease that ran out to somebody else.
async fn take_over(queue: &dyn Subject) {
    queue.advance(2 * LEASE);
    queue.reap().await.unwrap();
    assert_eq!(queue.claim(&Claim::new("test", "other").with_lease(LEASE)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_fence_on_postgres_stands_as_long_as_its_lease() {
    let test = TestDatabase::create().await;
    let settings = PostgresSettings::new(test.url().parse().unwrap()).with_schema("user".parse().unwrap());
    let database = Postgres::connect_with(settings).await.unwrap();
    let queue = PostgresQueue::open(&database).await.unwrap();
    let (lease, fence) = leased(&queue).await;
    assert!(holds_in_postgres(&database, &fence).await);
    take_over(&queue).await;
    assert!(!holds_in_postgres(&database, &fence).await, "somebody else has the job");
    let (done, done_fence) = leased(&queue).await;
    queue.complete(&[Completion::new(done.key())]).await.unwrap();
    assert!(!holds_in_postgres(&database, &done_fence).await);
    assert_ne!(lease.key(), done.key());
}

#[tokio::test]
async fn a_fence_on_sqlite_stands_as_long_as_its_lease() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::open(folder.path().join("queue.db")).await.unwrap();
    let queue = SqliteQueue::open(&database).await.unwrap();
    let (_, fence) = leased(&queue).await;
    assert!(holds_in_sqlite(&database, &fence).await);
    take_over(&queue).await;
    assert!(!holds_in_sqlite(&database, &fence).await, "somebody else has the job");
    let (done, done_fence) = leased(&queue).await;
    queue.complete(&[Completion::new(done.key())]).await.unwrap();
    assert!(!holds_in_sqlite(&database, &done_fence).await);
}

#[tokio::test]
async fn a_lease_that_ran_out_no_longer_fences_though_nobody_took_it_back() {
    let (queue, test) = crate::postgres::queue().await;
    let folder = tempfile::tempdir().unwrap();
    let file = Sqlite::open(folder.path().join("queue.db")).await.unwrap();
    let other = SqliteQueue::open(&file).await.unwrap();
    let short = Claim::new("test", "worker").with_lease(Duration::from_micros(1));
    for queue in [&queue as &dyn Subject, &other] {
        queue.enqueue(&[NewJob::new("test", json!(1))]).await.unwrap();
    }
    let here = queue.claim(&short).await.unwrap().remove(0);
    let there = other.claim(&short).await.unwrap().remove(0);
    let database = Postgres::connect(test.url()).await.unwrap();
    assert!(!holds_in_postgres(&database, &here.fence().unwrap()).await);
    assert!(!holds_in_sqlite(&file, &there.fence().unwrap()).await);
}

#[tokio::test]
async fn what_a_fence_guards_is_committed_before_the_lease_can_be_taken_back() {
    let (queue, test) = crate::postgres::queue().await;
    let database = Postgres::connect(test.url()).await.unwrap();
    let (lease, fence) = leased(&queue).await;
    let mut guarded = database.begin().await.unwrap();
    let asked = AssertSqlSafe(fence.sql().to_owned());
    sqlx::query(asked).bind(fence.job()).bind(fence.token()).fetch_one(&mut *guarded).await.unwrap();

    let key = [lease.key()];
    let heartbeat = queue.extend(&key, LEASE);
    let beat = tokio::time::timeout(Duration::from_secs(20), heartbeat).await.expect("heartbeats do not wait");
    assert_eq!(beat.unwrap(), [Extension::Held]);

    queue.advance(2 * LEASE);
    let reaping = tokio::spawn({
        let queue = queue.clone();
        async move { queue.reap().await }
    });
    waits_for_a_lock(&database).await;
    guarded.commit().await.unwrap();
    assert_eq!(reaping.await.unwrap().unwrap().returned, 1);
    assert!(!holds_in_postgres(&database, &fence).await);
}

/// Returns once a session of this database waits for another's lock.
async fn waits_for_a_lock(database: &Postgres) {
    let mut connection = database.connection().await.unwrap();
    until_waiting(&mut connection, 1).await;
    connection.finish().await.unwrap();
}

#[tokio::test]
async fn a_lease_in_memory_has_no_fence() {
    let queue = MemoryQueue::new();
    queue.enqueue(&[NewJob::new("test", json!(1))]).await.unwrap();
    let lease = queue.claim(&Claim::new("test", "worker")).await.unwrap().remove(0);
    assert_eq!(lease.fence(), None);
}
