//! Workers that are told of new jobs. They poll every hour here: what is done sooner was done because they were told.

use std::sync::Arc;
use std::time::Duration;

use barkeep_database::{Postgres, PostgresSettings};
use barkeep_queue::{Bell, Ending, Error, Inspect, Job, NewJob, PostgresQueue, Queue, Worker};
use barkeep_test_postgres::{Pooler, TestDatabase};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::crash::until;

const HOUR: Duration = Duration::from_secs(3600);

/// A worker that sleeps for an hour whenever it finds nothing.
struct Sleeper {
    stop: CancellationToken,
    working: JoinHandle<barkeep_queue::Result<barkeep_queue::Worked>>,
}

impl Sleeper {
    /// One that has gone to sleep: it has done its first job, and written its ending.
    async fn start(queue: Arc<impl Queue + Inspect>, bell: &Bell) -> Self {
        queue.enqueue(&[NewJob::new("test", json!(0))]).await.unwrap();
        let work = |job: Job| async move { Ending::from(job.done()) };
        let worker = Worker::new(queue.clone(), "test", work).with_poll(HOUR, HOUR).with_bell(bell);
        let stop = CancellationToken::new();
        let told = stop.clone();
        let working = tokio::spawn(async move { worker.run(told).await });
        has_done(&*queue, 1).await;
        Self { stop, working }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.working.await.unwrap().unwrap();
    }
}

async fn has_done(queue: &dyn Inspect, jobs: u64) {
    until("the jobs are done", || async {
        queue.counts().await.unwrap().get("test").is_some_and(|c| c.succeeded == jobs)
    })
    .await;
}

async fn connect(test: &TestDatabase) -> PostgresQueue {
    PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn jobs_added_by_a_ringing_handle_wake_workers_of_its_process() {
    let (queue, _guard) = crate::sqlite::queue().await;
    let bell = Bell::new();
    let queue = Arc::new(queue.ringing(&bell));
    let sleeper = Sleeper::start(queue.clone(), &bell).await;
    for jobs in 2..=20 {
        queue.enqueue(&[NewJob::new("test", json!(jobs))]).await.unwrap();
        has_done(&*queue, jobs).await;
    }
    sleeper.stop().await;
}

#[tokio::test]
async fn jobs_added_with_notices_wake_workers_that_listen_elsewhere() {
    let test = TestDatabase::create().await;
    let (here, there) = (Arc::new(connect(&test).await), connect(&test).await.with_notices());
    let bell = Bell::new();
    let _listening = here.listen(&bell).await.unwrap();
    let sleeper = Sleeper::start(here.clone(), &bell).await;
    for jobs in 2..=20 {
        there.enqueue(&[NewJob::new("test", json!(jobs))]).await.unwrap();
        has_done(&*here, jobs).await;
    }
    sleeper.stop().await;
}

#[tokio::test]
async fn a_listener_whose_session_was_terminated_listens_again_and_misses_nothing() {
    let test = TestDatabase::create().await;
    let (here, there) = (Arc::new(connect(&test).await), connect(&test).await.with_notices());
    let bell = Bell::new();
    let _listening = here.listen(&bell).await.unwrap();
    let sleeper = Sleeper::start(here.clone(), &bell).await;
    let mut other = PgConnection::connect(test.url()).await.unwrap();
    for jobs in 2..=5 {
        let terminated: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE query LIKE 'LISTEN%' AND datname = current_database()",
        )
        .fetch_one(&mut other)
        .await
        .unwrap();
        assert_eq!(terminated, 1, "one session listens");
        // Before it listens again, or after: either way it is done.
        there.enqueue(&[NewJob::new("test", json!(jobs))]).await.unwrap();
        has_done(&*here, jobs).await;
        until("it listens again", || async {
            let mut other = PgConnection::connect(test.url()).await.unwrap();
            let listening = "SELECT count(*) FROM pg_stat_activity
                WHERE query LIKE 'LISTEN%' AND datname = current_database()";
            sqlx::query_scalar::<_, i64>(listening).fetch_one(&mut other).await.unwrap() == 1
        })
        .await;
    }
    sleeper.stop().await;
}

#[tokio::test]
async fn notices_of_another_schema_wake_nobody() {
    let test = TestDatabase::create().await;
    let settings = PostgresSettings::new(test.url().parse().unwrap()).with_schema("other".parse().unwrap());
    let other = PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap().with_notices();
    let here = connect(&test).await;
    let mut heard = here_is_heard(&test).await;
    other.enqueue(&[NewJob::new("test", json!(1))]).await.unwrap();
    assert_eq!(heard.heard().await.unwrap().as_deref(), Some("other"), "a notice says whose it is");
    here.with_notices().enqueue(&[NewJob::new("test", json!(1))]).await.unwrap();
    assert_eq!(heard.heard().await.unwrap().as_deref(), Some("barkeep"));
}

async fn here_is_heard(test: &TestDatabase) -> barkeep_database::Listener {
    Postgres::connect(test.url()).await.unwrap().listen("barkeep_queue").await.unwrap()
}

#[tokio::test]
async fn listening_through_a_transaction_pooler_is_refused() {
    let test = TestDatabase::create().await;
    let pooler = Pooler::before(&test);
    let url = format!("{}&pooler=transaction", pooler.url());
    let queue = PostgresQueue::open(&Postgres::connect(&url).await.unwrap()).await.unwrap();
    let refused = queue.listen(&Bell::new()).await.unwrap_err();
    assert!(matches!(refused, Error::Database(barkeep_database::Error::Location(_))), "{refused:?}");
}
