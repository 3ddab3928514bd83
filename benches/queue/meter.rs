//! What a piece of work costs: time, the server's processor time, our own, and bytes of write-ahead log.

use std::time::{Duration, Instant};

use crate::processor::{process, whole_machine};
use sqlx::{Connection, PgConnection};

/// Watches a server and this process.
pub struct Meter {
    connection: PgConnection,
    /// The process that all sessions of the server are children of; nought where there is no /proc.
    postmaster: u32,
}

/// What one piece of work took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub time: Duration,
    pub server: Duration,
    pub client: Duration,
    /// The processors' time that went to anybody else on the machine.
    pub others: Duration,
    pub wal_bytes: i64,
}

struct Reading {
    at: Instant,
    server: Duration,
    client: Duration,
    all: Duration,
    wal_bytes: i64,
}

impl Meter {
    pub async fn new(url: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.expect("the server answers");
        let own: i32 =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await.expect("the server answers");
        let postmaster = process(&own.to_string()).map_or(0, |process| process.parent);
        Self { connection, postmaster }
    }

    pub async fn measure<T>(&mut self, work: impl Future<Output = T>) -> (T, Cost) {
        let before = self.read().await;
        let answer = work.await;
        let after = self.read().await;
        let [server, client, all] = [
            after.server.saturating_sub(before.server),
            after.client.saturating_sub(before.client),
            after.all.saturating_sub(before.all),
        ];
        let cost = Cost {
            time: after.at - before.at,
            server,
            client,
            others: all.saturating_sub(server + client),
            wal_bytes: after.wal_bytes - before.wal_bytes,
        };
        (answer, cost)
    }

    async fn read(&mut self) -> Reading {
        let written = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
        let wal_bytes = sqlx::query_scalar(written).fetch_one(&mut self.connection).await.expect("the server answers");
        Reading {
            at: Instant::now(),
            server: self.server(),
            client: process("self").map_or(Duration::ZERO, |process| process.own + process.ended_children),
            all: whole_machine(),
            wal_bytes,
        }
    }

    /// The postmaster, its children, and those of them that have ended.
    fn server(&self) -> Duration {
        let ids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = ids.filter_map(|entry| entry.file_name().into_string().ok());
        ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
            .filter_map(|id| Some((id.parse::<u32>().ok()?, process(&id)?)))
            .map(|(id, process)| match id == self.postmaster {
                true => process.own + process.ended_children,
                false if process.parent == self.postmaster => process.own,
                false => Duration::ZERO,
            })
            .sum()
    }
}
