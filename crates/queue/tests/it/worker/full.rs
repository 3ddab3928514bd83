//! A database that has no space left, and later has some again. On SQLite, whose file can be given a limit.

use std::sync::Arc;
use std::time::Duration;

use barkeep_database::Sqlite;
use barkeep_queue::{Ending, Inspect, Job, NewJob, Queue, SqliteQueue, Worked, Worker};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{KIND, fill};

const JOBS: u32 = 300;

struct Scene {
    database: Sqlite,
    queue: SqliteQueue,
    _folder: TempDir,
}

impl Scene {
    /// Jobs, and room for the results of some of them.
    async fn cramped() -> Self {
        let folder = TempDir::new().unwrap();
        let database = Sqlite::open(folder.path().join("queue.db")).await.unwrap();
        let queue = SqliteQueue::open(&database).await.unwrap();
        fill(&queue, JOBS).await;
        database.limit(1_000_000).await.unwrap();
        Self { database, queue, _folder: folder }
    }

    fn worker(&self, work: impl barkeep_queue::Work) -> Worker {
        Worker::new(Arc::new(self.queue.clone()), KIND, work).with_lease(Duration::from_millis(300))
    }

    /// Waits until nothing large can be written.
    async fn is_full(&self) {
        while self.queue.enqueue(&[NewJob::new("filler", large())]).await.is_ok() {}
        assert!(self.queue.counts().await.unwrap()[KIND].live() > 0, "there was room for everything");
    }

    async fn all_is_done(&self, worked: Worked) {
        let counts = self.queue.counts().await.unwrap()[KIND];
        assert_eq!((counts.live(), counts.succeeded, counts.failed), (0, JOBS.into(), 0));
        assert_eq!((worked.done, worked.lost), (JOBS.into(), 0));
    }
}

fn large() -> Value {
    json!("x".repeat(20_000))
}

async fn work(job: Job) -> Ending {
    job.done().with_result(large()).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn endings_and_claims_wait_for_space_and_go_on_by_themselves() {
    let scene = Scene::cramped().await;
    let stop = CancellationToken::new();
    let freed = async {
        scene.is_full().await;
        // For longer than a lease.
        tokio::time::sleep(Duration::from_millis(700)).await;
        scene.database.limit(u64::MAX).await.unwrap();
        while scene.queue.counts().await.unwrap()[KIND].live() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    let worker = scene.worker(work);
    let (worked, ()) = tokio::join!(worker.run(stop.clone()), freed);
    scene.all_is_done(worked.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_to_stop_does_not_wait_for_space() {
    let scene = Scene::cramped().await;
    let stop = CancellationToken::new();
    let told = async {
        scene.is_full().await;
        stop.cancel();
    };
    let worker = scene.worker(work).with_grace(Duration::from_secs(3600));
    let (worked, ()) = tokio::join!(worker.run(stop.clone()), told);
    assert_eq!(worked.unwrap_err().code(), "STORAGE_FULL");
    // What it left behind is taken back, and done by the next.
    scene.database.limit(u64::MAX).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    scene.queue.reap().await.unwrap();
    scene.worker(work).run_until_idle().await.unwrap();
    assert_eq!(scene.queue.counts().await.unwrap()[KIND].succeeded, u64::from(JOBS));
}
