//! Ours: unique keys, history and the fence on, as always.

use std::sync::Arc;

use async_trait::async_trait;
use barkeep_database::{Postgres, PostgresSettings};
use barkeep_queue::{Claim, Completion, Inspect, Job, NewJob, PostgresQueue, Queue, Worker};
use tokio::task::JoinSet;

use crate::peer::{Anything, BATCH, KIND, Peer, Seen, WORKERS, payload};

/// How its jobs are worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Eight loops of claim 100, complete 100: what the database side can do.
    Verbs,
    /// Eight `Worker`s of a hundred jobs each.
    Workers,
    /// Eight loops of claim 1, complete 1: what jobs cost one at a time.
    Single,
    /// One `Worker` of eight jobs, all else as it comes.
    Default,
}

pub struct Barkeep {
    name: &'static str,
    way: Way,
    queue: Arc<PostgresQueue>,
}

impl Barkeep {
    pub async fn open(url: &str, name: &'static str, way: Way) -> Anything<Self> {
        let settings = PostgresSettings::new(url.parse()?).with_connections(WORKERS as u32 + 4);
        let queue = Arc::new(PostgresQueue::open(&Postgres::connect_with(settings).await?).await?);
        Ok(Self { name, way, queue })
    }
}

#[async_trait]
impl Peer for Barkeep {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn add(&self, first: usize, count: usize) -> Anything<()> {
        let job = |number: usize| NewJob::new(KIND, payload(number)).with_key(format!("slice-{number}"));
        let jobs: Vec<NewJob> = (first..first + count).map(job).collect();
        let ids = self.queue.enqueue(&jobs).await?;
        assert!(ids.iter().all(Option::is_some), "no key is live yet");
        Ok(())
    }

    async fn work(&self, seen: Arc<Seen>) -> Anything<()> {
        let mut working = JoinSet::new();
        match self.way {
            Way::Verbs | Way::Single => {
                let limit = if self.way == Way::Verbs { BATCH } else { 1 };
                for _ in 0..WORKERS {
                    working.spawn(by_verbs(Arc::clone(&self.queue), limit, Arc::clone(&seen)));
                }
            }
            Way::Workers => {
                for _ in 0..WORKERS {
                    let worker = worker(&self.queue, &seen);
                    let worker = worker.with_concurrency(BATCH);
                    working.spawn(by_worker(worker));
                }
            }
            Way::Default => {
                let worker = worker(&self.queue, &seen).with_concurrency(WORKERS as u16);
                working.spawn(by_worker(worker));
            }
        }
        while let Some(worked) = working.join_next().await {
            worked??;
        }
        Ok(())
    }

    async fn unfinished(&self) -> Anything<i64> {
        let live = self.queue.counts().await?.get(KIND).map_or(0, barkeep_queue::Counts::live);
        Ok(i64::try_from(live)?)
    }
}

fn worker(queue: &Arc<PostgresQueue>, seen: &Arc<Seen>) -> Worker {
    let seen = Arc::clone(seen);
    let work = move |job: Job| {
        seen.one();
        std::future::ready(job.done().into())
    };
    Worker::new(Arc::clone(queue) as Arc<dyn Queue>, KIND, work)
}

async fn by_worker(worker: Worker) -> Anything<()> {
    worker.run_until_idle().await?;
    Ok(())
}

async fn by_verbs(queue: Arc<PostgresQueue>, limit: u16, seen: Arc<Seen>) -> Anything<()> {
    let claim = Claim::new(KIND, "bench").with_limit(limit);
    loop {
        let leases = queue.claim(&claim).await?;
        if leases.is_empty() {
            return Ok(());
        }
        seen.many(leases.len());
        let done: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
        queue.complete(&done).await?;
    }
}
