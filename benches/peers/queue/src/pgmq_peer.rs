//! `pgmq`, by its SQL-only installation: a message is read, then moved to the archive. No workers of its own: eight loops.

use std::sync::Arc;

use async_trait::async_trait;
use pgmq::{Message, PGMQueueExt};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;

use crate::peer::{Anything, KIND, Peer, Seen, WORKERS, payload};

pub struct Pgmq {
    name: &'static str,
    batch: i32,
    queue: PGMQueueExt,
    pool: PgPool,
}

impl Pgmq {
    pub async fn open(url: &str, name: &'static str, batch: i32) -> Anything<Self> {
        let pool = PgPoolOptions::new().max_connections(WORKERS as u32 + 4).connect(url).await?;
        let queue = PGMQueueExt::new_with_pool(pool.clone()).await;
        queue.install_sql_from_embedded().await?;
        queue.create(KIND).await?;
        Ok(Self { name, batch, queue, pool })
    }
}

#[async_trait]
impl Peer for Pgmq {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn add(&self, first: usize, count: usize) -> Anything<()> {
        let messages: Vec<Value> = (first..first + count).map(payload).collect();
        self.queue.send_batch(KIND, &messages).await?;
        Ok(())
    }

    async fn work(&self, seen: Arc<Seen>) -> Anything<()> {
        let mut working = JoinSet::new();
        for _ in 0..WORKERS {
            working.spawn(read_and_archive(self.queue.clone(), self.batch, Arc::clone(&seen)));
        }
        while let Some(worked) = working.join_next().await {
            worked??;
        }
        Ok(())
    }

    async fn unfinished(&self) -> Anything<i64> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM pgmq.q_bench").fetch_one(&self.pool).await?)
    }
}

async fn read_and_archive(queue: PGMQueueExt, batch: i32, seen: Arc<Seen>) -> Anything<()> {
    loop {
        let messages: Vec<Message<Value, Value>> = queue.read_batch(KIND, 60, batch).await?;
        if messages.is_empty() {
            return Ok(());
        }
        seen.many(messages.len());
        let ids: Vec<i64> = messages.iter().map(|message| message.msg_id).collect();
        queue.archive_batch(KIND, &ids).await?;
    }
}
