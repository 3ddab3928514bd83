//! A million jobs that have ended, and an old snapshot that keeps every dead row: the queue does the same as without.

use std::time::Duration;

use barkeep_database::{Postgres, Sqlite};
use barkeep_queue::conformance::Subject;
use barkeep_queue::{
    Claim, Completion, Failure, Inspect, JobId, NewJob, Outcome, PostgresQueue, Queue, Select, SqliteQueue, Then,
};
use barkeep_test_postgres::TestDatabase;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

const KIND: &str = "long";
const FINISHED: i64 = 1_000_000;

/// A tenth of them failed, over 200 days.
const ENDED_ON_POSTGRES: &str = "
    INSERT INTO barkeep.queue_done
        (id, created_at, started_at, finished_at, outcome, rank, max_attempts, failures, crashes, kind, key, worker, code, payload)
    SELECT number, at, at, at, (number % 10 = 0)::int, 0, 5, 0, 0, 'long', 'old-' || number, 'worker',
        CASE WHEN number % 10 = 0 THEN 'OLD' END, '1'
    FROM (SELECT number, now() - interval '200 days' + number * interval '17 seconds' AS at
        FROM generate_series(1, 1000000) AS number) AS ended;
    INSERT INTO barkeep.queue_tally (hour, jobs, cost, outcome, kind)
    SELECT date_trunc('hour', finished_at), count(*), 0, outcome, kind FROM barkeep.queue_done GROUP BY 1, 4, 5;
    SELECT setval(pg_get_serial_sequence('barkeep.queue_job', 'id'), 1000000);
    ANALYZE barkeep.queue_done;
";

const ENDED_ON_SQLITE: &str = "
    WITH RECURSIVE ended (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM ended WHERE number < 1000000)
    INSERT INTO queue_done
        (id, created_at, started_at, finished_at, outcome, rank, max_attempts, failures, crashes, kind, key, worker, code, payload)
    SELECT number, at, at, at, number % 10 = 0, 0, 5, 0, 0, 'long', 'old-' || number, 'worker',
        CASE WHEN number % 10 = 0 THEN 'OLD' END, '1'
    FROM (SELECT number, unixepoch('now', '-200 days') * 1000000 + number * 17000000 AS at FROM ended);
    INSERT INTO queue_tally (hour, jobs, cost, outcome, kind)
    SELECT finished_at / 3600000000 * 3600000000, count(*), 0, outcome, kind FROM queue_done GROUP BY 1, 4, 5;
    UPDATE sqlite_sequence SET seq = 1000000 WHERE name = 'queue_job';
    INSERT INTO sqlite_sequence (name, seq) SELECT 'queue_job', 1000000
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'queue_job');
";

async fn add(queue: &dyn Subject, name: &str, jobs: usize) -> Vec<JobId> {
    let jobs: Vec<NewJob> =
        (0..jobs).map(|number| NewJob::new(KIND, json!(number)).with_key(format!("{name}-{number:04}"))).collect();
    queue.enqueue(&jobs).await.unwrap().into_iter().map(Option::unwrap).collect()
}

/// Drains what can be claimed, and answers in which order it came.
async fn drain(queue: &dyn Subject) -> Vec<JobId> {
    let mut ids = Vec::new();
    loop {
        let leases = queue.claim(&Claim::new(KIND, "worker").with_limit(100)).await.unwrap();
        if leases.is_empty() {
            return ids;
        }
        ids.extend(leases.iter().map(|lease| lease.id));
        let done: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
        assert_eq!(queue.complete(&done).await.unwrap(), []);
    }
}

async fn does_the_same_as_ever(queue: &dyn Subject) {
    let counts = queue.counts().await.unwrap()[KIND];
    assert_eq!((counts.succeeded, counts.failed), (900_000, 100_000));
    // The key of a job that ended is free, and an id is never used twice.
    let ids = add(queue, "old", 500).await;
    assert!(ids.iter().all(|id| id.number() > FINISHED), "{ids:?}");
    assert_eq!(drain(queue).await, ids);
    let finished = queue.finished(&ids).await.unwrap();
    assert!(finished.len() == ids.len() && finished.iter().all(|job| job.outcome == Outcome::Succeeded));

    let failing = add(queue, "failing", 1).await[0];
    let lease = queue.claim(&Claim::new(KIND, "worker")).await.unwrap().remove(0);
    queue.fail(&[Failure::new(lease.key(), "NEW", "text").then(Then::Discard)]).await.unwrap();
    assert_eq!(queue.failed(KIND, 1).await.unwrap()[0].id, failing);
    let again = queue.retry_failed(&Select::all().of_kind(KIND).with_code("NEW")).await.unwrap();
    assert_eq!((again, drain(queue).await), (1, vec![failing]));

    // All of it is in the partition of no month: what is older than 190 days is deleted, and counts remember it.
    assert!(queue.prune(Duration::from_secs(190 * 24 * 3600)).await.unwrap() > 10_000);
    let counts = queue.counts().await.unwrap()[KIND];
    assert_eq!((counts.succeeded, counts.failed), (900_501, 100_000));
}

#[tokio::test]
async fn a_million_finished_jobs_change_nothing_on_postgres() {
    let test = TestDatabase::create().await;
    let queue = PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    let mut owner = PgConnection::connect(test.url()).await.unwrap();
    owner.execute(ENDED_ON_POSTGRES).await.unwrap();
    does_the_same_as_ever(&queue).await;
}

#[tokio::test]
async fn a_million_finished_jobs_change_nothing_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = SqliteQueue::open(&Sqlite::open(&file).await.unwrap()).await.unwrap();
    let mut owner = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    owner.execute(ENDED_ON_SQLITE).await.unwrap();
    owner.close().await.unwrap();
    does_the_same_as_ever(&queue).await;
}

#[tokio::test]
async fn a_snapshot_held_open_changes_nothing() {
    let test = TestDatabase::create().await;
    let queue = PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    let mut holder = PgConnection::connect(test.url()).await.unwrap();
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
    for round in 0..10 {
        let ids = add(&queue, "held", 1_000).await;
        assert_eq!(drain(&queue).await, ids, "round {round}");
    }
    let crashed = add(&queue, "crashed", 3).await;
    queue.claim(&Claim::new(KIND, "dead").with_limit(3)).await.unwrap();
    queue.advance(Duration::from_secs(3600));
    assert_eq!(queue.reap().await.unwrap().returned, 3);
    assert_eq!(drain(&queue).await, crashed);
    let counts = queue.counts().await.unwrap()[KIND];
    assert_eq!((counts.live(), counts.succeeded), (0, 10_003));
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM barkeep.queue_done").fetch_one(&mut holder).await.unwrap();
    assert_eq!(seen, 0, "the snapshot is as old as it was");
    holder.execute("COMMIT").await.unwrap();
}
