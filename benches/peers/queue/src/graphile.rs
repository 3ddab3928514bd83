//! `graphile_worker`: deletes what is done; no unique key here, no history, no fence.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::peer::{Anything, KIND, Peer, Seen, payload};

/// What can be set for the sake of speed.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub concurrency: usize,
    /// How many jobs are fetched ahead; `None` leaves the crate's default, a job for each worker and poll.
    pub local_queue: Option<usize>,
    pub connections: u32,
}

pub struct Graphile {
    name: &'static str,
    settings: Settings,
    pool: PgPool,
}

impl Graphile {
    pub async fn open(url: &str, name: &'static str, settings: Settings) -> Anything<Self> {
        let pool = PgPoolOptions::new().max_connections(settings.connections).connect(url).await?;
        let peer = Self { name, settings, pool };
        peer.options().init().await?.create_utils().migrate().await?;
        Ok(peer)
    }

    fn options(&self) -> WorkerOptions {
        let options = WorkerOptions::default()
            .pg_pool(self.pool.clone())
            .concurrency(self.settings.concurrency)
            .listen_os_shutdown_signals(false)
            .define_job::<Task>();
        match self.settings.local_queue {
            Some(size) => options
                .local_queue(LocalQueueConfig::default().with_size(size))
                .poll_interval(Duration::from_millis(5))
                .complete_job_batch_delay(Duration::from_millis(5)),
            // By default it polls every second, and gets no more than a job for each worker from that.
            None => options.poll_interval(Duration::from_millis(1)),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Task {
    from: u64,
}

#[derive(Clone, Debug)]
struct Counter(Arc<Seen>);

impl TaskHandler for Task {
    const IDENTIFIER: &'static str = KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(seen) = context.get_ext::<Counter>() {
            seen.0.one();
        }
        Ok::<(), String>(())
    }
}

#[async_trait]
impl Peer for Graphile {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn add(&self, first: usize, count: usize) -> Anything<()> {
        let job =
            |number| RawJobSpec { identifier: KIND.to_owned(), payload: payload(number), spec: JobSpec::default() };
        let jobs: Vec<RawJobSpec> = (first..first + count).map(job).collect();
        graphile_worker::WorkerUtils::new(self.pool.clone(), "graphile_worker").add_raw_jobs(&jobs).await?;
        Ok(())
    }

    async fn work(&self, seen: Arc<Seen>) -> Anything<()> {
        let worker = Arc::new(self.options().add_extension(Counter(Arc::clone(&seen))).init().await?);
        let working = {
            let worker = Arc::clone(&worker);
            tokio::spawn(async move { worker.run().await })
        };
        seen.all().await;
        while self.unfinished().await? > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        worker.request_shutdown();
        working.await??;
        Ok(())
    }

    async fn unfinished(&self) -> Anything<i64> {
        let count = "SELECT count(*) FROM graphile_worker._private_jobs";
        Ok(sqlx::query_scalar(count).fetch_one(&self.pool).await?)
    }
}
