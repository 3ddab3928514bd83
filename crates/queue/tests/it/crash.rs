//! Servers, sessions and workers that die at any moment: no job is lost, none ends twice, and no worker that lost its lease
//! changes anything.

pub(crate) mod process;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use barkeep_database::{Postgres, PostgresSettings};
use barkeep_queue::conformance::Subject;
use barkeep_queue::{Claim, Inspect, Job, JobId, NewJob, Outcome, PostgresQueue, Queue, Worker, WorkerState};
use barkeep_test_postgres::{Server, Stop, TestDatabase};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use process::{Place, WorkerProcess};

pub(crate) const KIND: &str = "crash";
pub(crate) const LEASE: Duration = Duration::from_secs(1);

fn jobs(count: usize) -> Vec<NewJob> {
    (0..count).map(|number| NewJob::new(KIND, json!(number)).with_key(number.to_string())).collect()
}

fn worker(queue: Arc<dyn Queue>) -> Worker {
    Worker::new(queue, KIND, |job: Job| async move { job.done().with_result(job.payload.clone()).into() })
        .with_concurrency(20)
        .with_lease(LEASE)
        .with_poll(Duration::from_millis(5), Duration::from_millis(20))
}

/// Asks until the database can be reached.
async fn insist<T, F: Future<Output = barkeep_queue::Result<T>>>(ask: impl Fn() -> F) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
        tokio::task::yield_now().await;
    }
}

/// Waits for what is bound to come.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap_or_else(|_| panic!("{what}, within a minute"));
}

async fn live(queue: &dyn Inspect) -> u64 {
    insist(|| queue.counts()).await.get(KIND).map_or(0, barkeep_queue::Counts::live)
}

/// Every job has ended, once, as done.
async fn all_done(queue: &dyn Subject, ids: &BTreeSet<JobId>) {
    until("every job is done", || async { live(queue).await == 0 }).await;
    let ids: Vec<JobId> = ids.iter().copied().collect();
    let finished = queue.finished(&ids).await.unwrap();
    assert!(finished.iter().all(|job| job.outcome == Outcome::Succeeded));
    assert_eq!(finished.iter().map(|job| job.id).collect::<Vec<_>>(), ids);
}

/// Works while `disturb` does its worst, one round after the other.
async fn survive<F: Future<Output = ()>>(queue: PostgresQueue, rounds: usize, disturb: impl Fn() -> F) {
    let stop = CancellationToken::new();
    let working = {
        let (worker, stop) = (worker(Arc::new(queue.clone())), stop.clone());
        tokio::spawn(async move { worker.run(stop).await })
    };
    let mut ids = BTreeSet::new();
    for round in 0..rounds {
        let jobs = jobs(400);
        // Whether a try that failed has added them is unknown; those that it added are live, or done, and found at the end.
        ids.extend(insist(|| queue.enqueue(&jobs)).await.into_iter().flatten());
        until("work is under way", || async { live(&queue).await < 300 + round as u64 }).await;
        disturb().await;
    }
    all_done(&queue, &ids).await;
    stop.cancel();
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_twenty_times_loses_nothing() {
    let server = Arc::new(Server::start());
    let settings = PostgresSettings::new(server.url().parse().unwrap()).with_timeout(Duration::from_secs(5));
    let database = Postgres::connect_with(settings).await.unwrap();
    survive(PostgresQueue::open(&database).await.unwrap(), 20, || {
        let server = Arc::clone(&server);
        let crash = move || {
            server.stop(Stop::Immediate);
            server.resume();
        };
        async { tokio::task::spawn_blocking(crash).await.unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_terminated_lose_nothing() {
    let test = TestDatabase::create().await;
    let queue = PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    let executioner = Postgres::connect(test.url()).await.unwrap();
    survive(queue, 60, || async {
        let mut connection = executioner.connection().await.unwrap();
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2";
        sqlx::query(terminate).execute(&mut *connection).await.unwrap();
        connection.finish().await.unwrap();
    })
    .await;
}

async fn killed_workers_lose_nothing(queue: Arc<dyn Subject>, place: Place) {
    let ids: BTreeSet<JobId> = queue.enqueue(&jobs(3_000)).await.unwrap().into_iter().flatten().collect();
    let mut workers: Vec<_> = (0..3).map(|_| WorkerProcess::start(&place)).collect();
    for kill in 0..6 {
        let left = 2_700 - kill * 400;
        until("work is under way", || async { live(&*queue).await < left }).await;
        // Who is killed before he has shown himself is missed by nobody.
        until("all are seen", || async { seen(&*queue, |_| true).await >= 3 + kill as usize }).await;
        workers.remove(0).kill();
        workers.push(WorkerProcess::start(&place));
    }
    all_done(&*queue, &ids).await;
    until("the dead are seen", || async { seen(&*queue, |worker| !worker.is_alive).await >= 6 }).await;
}

/// How many of the processes that were ever started are known to the queue, of those that are meant.
async fn seen(queue: &dyn Subject, is_meant: impl Fn(&WorkerState) -> bool) -> usize {
    let workers = queue.workers().await.unwrap();
    workers.iter().filter(|worker| worker.name == "child" && is_meant(worker)).count()
}

/// Stops a process, but not while it writes: SQLite's file would stay locked for as long as it is stopped.
async fn stop_between_writes(queue: &dyn Subject, process: &WorkerProcess) {
    loop {
        process.stop();
        let writing = queue.lock("probe", "test", LEASE);
        if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(1), writing).await {
            return;
        }
        process.resume();
        tokio::task::yield_now().await;
    }
}

async fn a_stopped_worker_finds_its_lease_lost(queue: Arc<dyn Subject>, place: Place) {
    let ids: BTreeSet<JobId> = queue.enqueue(&jobs(1)).await.unwrap().into_iter().flatten().collect();
    let mut zombie = WorkerProcess::start(&place.clone().holding());
    zombie.wait_for("holding");
    stop_between_writes(&*queue, &zombie).await;
    let other = Claim::new(KIND, "other").with_lease(LEASE);
    until("the lease lapses and the job is claimed anew", || async {
        queue.reap().await.unwrap();
        let claimed = queue.claim(&other).await.unwrap();
        let done: Vec<_> = claimed.iter().map(|lease| barkeep_queue::Completion::new(lease.key())).collect();
        !claimed.is_empty() && queue.complete(&done).await.unwrap().is_empty()
    })
    .await;
    zombie.resume();
    zombie.go_on();
    // One lease, or more: on SQLite it may have been stopped and woken so often that it had claimed the job anew.
    let worked = zombie.wait_for("worked");
    assert!(worked.starts_with("worked done 0 lost") && worked != "worked done 0 lost 0", "{worked}");
    all_done(&*queue, &ids).await;
    let finished = queue.finished(&ids.into_iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(finished[0].worker.as_deref(), Some("other"));
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_on_sqlite_lose_nothing() {
    let (queue, folder) = crate::sqlite::queue().await;
    killed_workers_lose_nothing(Arc::new(queue), Place::Sqlite(folder.path().join("queue.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_on_postgres_lose_nothing() {
    let (queue, test) = crate::postgres::queue().await;
    killed_workers_lose_nothing(Arc::new(queue), Place::Postgres(test.url().to_owned())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_worker_on_sqlite_finds_its_lease_lost() {
    let (queue, folder) = crate::sqlite::queue().await;
    a_stopped_worker_finds_its_lease_lost(Arc::new(queue), Place::Sqlite(folder.path().join("queue.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_worker_on_postgres_finds_its_lease_lost() {
    let (queue, test) = crate::postgres::queue().await;
    a_stopped_worker_finds_its_lease_lost(Arc::new(queue), Place::Postgres(test.url().to_owned())).await;
}
