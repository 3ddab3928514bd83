use async_trait::async_trait;
use barkeep_database::{PoolWaits, Postgres};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::{all, changes, one};
use crate::Result;
use crate::statements::{SpentColumns, WatchStatements};

#[async_trait]
impl WatchStatements for Postgres {
    async fn vitals(&self, moved_us: i64, kind: &str) -> Result<String> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/vitals.sql"))).bind(moved_us).bind(kind);
        let (vitals,) = one(self, statement).await?;
        Ok(vitals)
    }

    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<SpentColumns>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/spent.sql"))).bind(kind).bind(since);
        all(self, statement).await
    }

    async fn beat(&self, moved_us: i64, name: &str, holder: &str, note: &str) -> Result<()> {
        let statement = || {
            query(self.sql(include_str!("../../sql/postgres/beat.sql")))
                .bind(moved_us)
                .bind(name)
                .bind(holder)
                .bind(note)
        };
        changes(self, statement).await.map(drop)
    }

    fn pool_waits(&self) -> PoolWaits {
        Postgres::pool_waits(self)
    }
}
