//! What a `Worker` spends of its own on a job: the queue hands out jobs that do nothing, and does nothing itself.
//!
//!     cargo bench -p benches --bench worker

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use barkeep_database::Sqlite;
use barkeep_queue::{
    Claim, Completion, Extension, Failure, Job, JobId, Lease, LeaseKey, NewJob, Queue, Reaped, Release, Result,
    Spending, SqliteQueue, Verdict, Worker,
};
use benches::processor::process;
use tokio::task::JoinSet;

const WORKERS: usize = 8;
const BATCH: u16 = 100;

/// As many leases as are asked for, until so many were handed out.
#[derive(Debug)]
struct Idle {
    left: AtomicI64,
    lease: Lease,
}

impl Idle {
    async fn new(jobs: i64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = Sqlite::open(folder.path().join("queue.db")).await.expect("a file that can be written");
        let queue = SqliteQueue::open(&database).await.expect("none yet");
        queue.enqueue(&[NewJob::new("idle", serde_json::Value::Null)]).await.expect("the database answers");
        let lease = queue.claim(&Claim::new("idle", "bench")).await.expect("the database answers").remove(0);
        Self { left: AtomicI64::new(jobs), lease }
    }
}

#[async_trait]
impl Queue for Idle {
    async fn enqueue(&self, _: &[NewJob]) -> Result<Vec<Option<JobId>>> {
        Ok(Vec::new())
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>> {
        // A database answers later, and others go on meanwhile.
        tokio::task::yield_now().await;
        let most = i64::from(claim.limit);
        let left = self.left.fetch_sub(most, Ordering::Relaxed);
        let lease = |number| {
            let mut lease = self.lease.clone();
            lease.id = JobId::new(number);
            lease
        };
        Ok((left - most..left).filter(|number| *number >= 0).map(lease).collect())
    }

    async fn extend(&self, leases: &[LeaseKey], _: Duration) -> Result<Vec<Extension>> {
        Ok(vec![Extension::Held; leases.len()])
    }

    async fn complete(&self, _: &[Completion]) -> Result<Vec<LeaseKey>> {
        tokio::task::yield_now().await;
        Ok(Vec::new())
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<Verdict>> {
        Ok(vec![Verdict::Failed; failures.len()])
    }

    async fn release(&self, _: &[Release]) -> Result<Vec<LeaseKey>> {
        Ok(Vec::new())
    }

    async fn spend(&self, _: &[Spending]) -> Result<()> {
        Ok(())
    }

    async fn reap(&self) -> Result<Reaped> {
        Ok(Reaped::default())
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (jobs, rounds) = if benches::is_measuring() { (1_000_000, 9) } else { (1_000, 1) };
    let mut spent: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds {
        spent[0].push(workers(jobs, |job: Job| std::future::ready(job.done().into())).await);
        spent[1].push(workers(jobs, waits).await);
        spent[2].push(tasks(jobs).await);
    }
    let [at_once, waiting, tasks] = spent.map(benches::median);
    println!(
        "us of processor time a job: {at_once:.2} that ends at once, {waiting:.2} that waits, {tasks:.2} a bare task"
    );
    benches::print_ratio("worker/us_a_job_that_ends_at_once", at_once);
    benches::print_ratio("worker/us_a_job_that_waits", waiting);
    benches::print_ratio("worker/beside_bare_tasks/ends_at_once", at_once / tasks);
    benches::print_ratio("worker/beside_bare_tasks/waits", waiting / tasks);
}

async fn waits(job: Job) -> barkeep_queue::Ending {
    tokio::task::yield_now().await;
    job.done().into()
}

/// Microseconds of processor time a job, in eight workers of a hundred.
async fn workers(jobs: i64, work: impl barkeep_queue::Work + Copy) -> f64 {
    let queue = Arc::new(Idle::new(jobs).await);
    let before = processor_time();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let worker = Worker::new(queue.clone(), "idle", work).with_concurrency(BATCH);
        workers.spawn(async move { worker.run_until_idle().await.expect("nothing is refused").done });
    }
    let done: u64 = workers.join_all().await.into_iter().sum();
    assert_eq!(done, jobs.unsigned_abs());
    (processor_time() - before).as_secs_f64() * 1e6 / done as f64
}

/// The least that a task for each job costs: one that tells that it ran.
async fn tasks(jobs: i64) -> f64 {
    let before = processor_time();
    let mut runs = JoinSet::new();
    for _ in 0..WORKERS {
        runs.spawn(async move {
            let (tells, mut heard) = tokio::sync::mpsc::channel(BATCH.into());
            for _ in 0..jobs / WORKERS as i64 / i64::from(BATCH) {
                for _ in 0..BATCH {
                    let tells = tells.clone();
                    tokio::spawn(async move { tells.send(()).await });
                }
                for _ in 0..BATCH {
                    heard.recv().await;
                }
            }
        });
    }
    runs.join_all().await;
    (processor_time() - before).as_secs_f64() * 1e6 / jobs as f64
}

/// What this process has used so far; none where there is no /proc.
fn processor_time() -> Duration {
    process("self").map_or(Duration::ZERO, |process| process.own)
}
