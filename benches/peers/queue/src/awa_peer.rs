//! `awa`: on its queue storage, with the compact claims that jobs without a deadline get.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use awa::model::InsertParams;
use awa::{Client, InsertOpts, JobContext, JobError, JobResult, JobState, QueueConfig, Worker};
use awa_sqlx::PgPool;
use awa_sqlx::postgres::PgPoolOptions;

use crate::peer::{Anything, KIND, Peer, Seen, payload};

/// What can be set for the sake of speed.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub max_workers: u32,
    pub claimers: u16,
    pub connections: u32,
}

pub struct Awa {
    name: &'static str,
    settings: Settings,
    pool: PgPool,
}

impl Awa {
    pub async fn open(url: &str, name: &'static str, settings: Settings) -> Anything<Self> {
        let pool = PgPoolOptions::new().max_connections(settings.connections).connect(url).await?;
        awa::migrations::run(&pool).await?;
        let peer = Self { name, settings, pool };
        // A client that meets an empty database switches it to queue storage; one that meets jobs leaves it as it was.
        let client = peer.client(Seen::new(0))?;
        client.start().await?;
        client.shutdown(Duration::from_secs(5)).await;
        Ok(peer)
    }

    fn client(&self, seen: Arc<Seen>) -> Anything<Client> {
        let config = QueueConfig {
            max_workers: self.settings.max_workers,
            claimers: self.settings.claimers,
            poll_interval: Duration::from_millis(50),
            deadline_duration: Duration::ZERO,
            ..QueueConfig::default()
        };
        Ok(Client::builder(self.pool.clone()).queue(KIND, config).register_worker(Count(seen)).build()?)
    }
}

struct Count(Arc<Seen>);

#[async_trait]
impl Worker for Count {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn perform(&self, _: &JobContext) -> Result<JobResult, JobError> {
        self.0.one();
        Ok(JobResult::Completed)
    }
}

#[async_trait]
impl Peer for Awa {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn add(&self, first: usize, count: usize) -> Anything<()> {
        let job = |number| InsertParams {
            kind: KIND.to_owned(),
            args: payload(number),
            opts: InsertOpts { queue: KIND.to_owned(), ..InsertOpts::default() },
        };
        let jobs: Vec<InsertParams> = (first..first + count).map(job).collect();
        awa::insert_many_copy_from_pool(&self.pool, &jobs).await?;
        Ok(())
    }

    async fn work(&self, seen: Arc<Seen>) -> Anything<()> {
        let client = self.client(Arc::clone(&seen))?;
        client.start().await?;
        seen.all().await;
        while self.unfinished().await? > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        client.shutdown(Duration::from_secs(5)).await;
        Ok(())
    }

    async fn unfinished(&self) -> Anything<i64> {
        let counts = awa::admin::state_counts(&self.pool).await?;
        let live = [JobState::Scheduled, JobState::Available, JobState::Running, JobState::Retryable];
        Ok(live.iter().filter_map(|state| counts.get(state)).sum())
    }
}
