//! Jobs, added and drained until the database shows nothing unfinished.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use barkeep_queue::{Claim, Completion, Inspect, Job, NewJob, Purse, Queue, Worker};
use serde_json::json;

pub const KIND: &str = "bench";
pub const WORKERS: usize = 8;
pub const BATCH: u16 = 100;

pub trait Both: Queue + Inspect {}
impl<Q: Queue + Inspect> Both for Q {}

/// A thousand a call, two callers at once.
pub async fn add(queue: &dyn Queue, jobs: usize) {
    // No key twice, since some may still be live.
    static KEYS: AtomicUsize = AtomicUsize::new(0);
    let key = KEYS.fetch_add(jobs, Ordering::Relaxed);
    let half = |first: usize| async move {
        for batch in (first..jobs).step_by(2_000) {
            let new = |number: usize| {
                let payload =
                    json!({"symbol": "AAPL", "timeframe": "h1", "from": number, "to": number + 1, "feed": "sip"});
                NewJob::new(KIND, payload).with_key(format!("slice-{}", key + number))
            };
            let batch: Vec<NewJob> = (batch..(batch + 1_000).min(jobs)).map(new).collect();
            queue.enqueue(&batch).await.expect("the database answers");
        }
    };
    tokio::join!(half(0), half(1_000));
}

/// Loops that claim so many and complete them: no runtime.
pub async fn drain_by_verbs(queue: &dyn Both, batch: u16) {
    let one = || drain(queue, batch, usize::MAX);
    tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
    assert_drained(queue).await;
}

/// One such loop, until so many are done.
pub async fn drain(queue: &dyn Both, batch: u16, most: usize) {
    let claim = Claim::new(KIND, "bench").with_limit(batch);
    let mut done = 0;
    while done < most {
        let leases = queue.claim(&claim).await.expect("the database answers");
        if leases.is_empty() {
            return;
        }
        done += leases.len();
        let completions: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
        queue.complete(&completions).await.expect("the database answers");
    }
}

/// The runtime that programs use, a token for each job where there is a purse.
pub async fn drain_by_workers<Q: Queue + Inspect>(queue: Arc<Q>, purse: Option<Purse>) {
    work(queue.clone(), purse).await;
    assert_drained(&*queue).await;
}

/// The same; what others have taken may still be unfinished.
pub async fn work<Q: Queue>(queue: Arc<Q>, purse: Option<Purse>) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let purse = purse.clone();
        let work = move |job: Job| {
            let purse = purse.clone();
            async move {
                if let Some(purse) = &purse {
                    purse.take().await.expect("the database answers");
                }
                job.done().into()
            }
        };
        let worker = Worker::new(queue.clone(), KIND, work).with_concurrency(BATCH);
        workers.spawn(async move { worker.run_until_idle().await.expect("the database answers") });
    }
    workers.join_all().await;
}

pub async fn assert_drained(queue: &dyn Both) {
    assert_eq!(queue.counts().await.expect("the database answers")[KIND].live(), 0);
}
