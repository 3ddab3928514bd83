use async_trait::async_trait;
use barkeep_database::{PoolWaits, Sqlite};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::{read, write};
use crate::Result;
use crate::statements::{SpentColumns, WatchStatements};

#[async_trait]
impl WatchStatements for Sqlite {
    async fn vitals(&self, moved_us: i64, kind: &str) -> Result<String> {
        let statement = |now| query_as(include_str!("../../sql/sqlite/vitals.sql")).bind(now).bind(kind);
        let rows: Vec<(String,)> = read(self, moved_us, statement).await?;
        Ok(rows.into_iter().map(|(vitals,)| vitals).collect())
    }

    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<SpentColumns>> {
        let since_us = since.timestamp_micros();
        read(self, 0, |_| query_as(include_str!("../../sql/sqlite/spent.sql")).bind(kind).bind(since_us)).await
    }

    async fn beat(&self, moved_us: i64, name: &str, holder: &str, note: &str) -> Result<()> {
        let statement =
            |now| query(include_str!("../../sql/sqlite/beat.sql")).bind(now).bind(name).bind(holder).bind(note);
        write(self, moved_us, statement).await.map(drop)
    }

    fn pool_waits(&self) -> PoolWaits {
        Sqlite::pool_waits(self)
    }
}
