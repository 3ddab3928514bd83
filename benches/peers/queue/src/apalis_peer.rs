//! `apalis-postgres`: eight workers that fetch 100 at a time and run them in their own task, which is the cheapest for jobs
//! that do nothing; the finished stay in the table.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use async_trait::async_trait;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;

use crate::peer::{Anything, BATCH, KIND, Peer, Seen, WORKERS, payload};

pub struct Apalis {
    name: &'static str,
    pool: PgPool,
}

impl Apalis {
    pub async fn open(url: &str, name: &'static str) -> Anything<Self> {
        let pool = PgPoolOptions::new().max_connections(WORKERS as u32 + 4).connect(url).await?;
        PostgresStorage::setup(&pool).await?;
        Ok(Self { name, pool })
    }

    fn storage(&self) -> PostgresStorage<serde_json::Value> {
        // Without the lock of each single task, as in the crate's own example: claiming has locked it already.
        let config = Config::default().queue(KIND).batch_size(BATCH.into()).lock_tasks(false);
        PostgresStorage::new(&self.pool).with_config(config)
    }
}

#[async_trait]
impl Peer for Apalis {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn add(&self, first: usize, count: usize) -> Anything<()> {
        let task = |number| Ok(TaskBuilder::new(serde_json::to_vec(&payload(number))?).build());
        let tasks = (first..first + count).map(task).collect::<Anything<Vec<_>>>()?;
        let mut connection = self.pool.acquire().await?;
        apalis_postgres::queries::push_tasks(&mut *connection, KIND, tasks).await?;
        Ok(())
    }

    async fn work(&self, seen: Arc<Seen>) -> Anything<()> {
        static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut working = JoinSet::new();
        let stop = Arc::new(tokio::sync::Notify::new());
        for number in 0..WORKERS {
            let counter = Arc::clone(&seen);
            let stopped = Arc::clone(&stop);
            let worker =
                WorkerBuilder::new(format!("bench-{run}-{number}")).backend(self.storage()).data(counter).build(handle);
            working.spawn(async move {
                worker
                    .run_until(async move {
                        stopped.notified().await;
                        Ok::<(), std::io::Error>(())
                    })
                    .await
            });
        }
        seen.all().await;
        while self.unfinished().await? > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.notify_waiters();
        // Its workers may take long to notice that they are to stop; that is not measured.
        working.shutdown().await;
        Ok(())
    }

    async fn unfinished(&self) -> Anything<i64> {
        let count = "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'";
        Ok(sqlx::query_scalar(count).fetch_one(&self.pool).await?)
    }
}

async fn handle(_: serde_json::Value, seen: Data<Arc<Seen>>) -> Result<(), BoxDynError> {
    seen.one();
    Ok(())
}
