//! What the server spends while it works.

use std::time::{Duration, Instant};

use barkeep_store::{PostgresStore, Store};
use barkeep_types::Bar;
use sqlx::{Connection, PgConnection};

use crate::market::{self, PAGE};
use crate::raw;
use crate::report::{Cost, typical};

/// Looks at the server while it works.
pub struct Watch {
    connection: PgConnection,
    started: Instant,
    cpu: Duration,
    wal: i64,
}

impl Watch {
    pub async fn new(url: &str) -> Self {
        let connection = PgConnection::connect(url).await.expect("the server answers");
        Self { connection, started: Instant::now(), cpu: Duration::ZERO, wal: 0 }
    }

    pub async fn close(self) {
        self.connection.close().await.expect("the connection ends");
    }

    pub async fn start(&mut self) {
        self.cpu = self.cpu().await;
        self.wal = self.wal().await;
        self.started = Instant::now();
    }

    pub async fn stop(&mut self, bars: usize) -> Cost {
        let wall = self.started.elapsed();
        let wal = self.wal().await.saturating_sub(self.wal).unsigned_abs();
        Cost { bars, wall, cpu: self.cpu().await.saturating_sub(self.cpu), wal }
    }

    pub async fn commits(&mut self, store: &PostgresStore, pages: &[(i32, usize, Vec<Bar>)]) -> Cost {
        let mut costs = Vec::with_capacity(pages.len());
        for (id, page, bars) in pages {
            let commit = market::commit(*id as usize, *page, bars.clone());
            self.start().await;
            store.commit(&commit).await.expect("a page is committed");
            costs.push(self.stop(PAGE).await);
        }
        typical(&costs)
    }

    /// What the backends of this database have spent so far.
    async fn cpu(&mut self) -> Duration {
        let pids: Vec<i32> = sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            .fetch_all(&mut self.connection)
            .await
            .expect("the server lists its sessions");
        pids.into_iter().map(raw::cpu_of).sum()
    }

    async fn wal(&mut self) -> i64 {
        sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8")
            .fetch_one(&mut self.connection)
            .await
            .expect("the server knows its log")
    }

    pub async fn bytes(&mut self, table: &str) -> i64 {
        sqlx::query_scalar("SELECT sum(pg_total_relation_size(relid))::int8 FROM pg_partition_tree($1::regclass)")
            .bind(table)
            .fetch_one(&mut self.connection)
            .await
            .expect("the table has a size")
    }

    pub async fn forget_digests(&mut self) {
        sqlx::query("UPDATE barkeep.store_batch SET digest = NULL")
            .execute(&mut self.connection)
            .await
            .expect("digests are forgotten");
    }
}
