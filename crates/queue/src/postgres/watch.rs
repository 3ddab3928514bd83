use async_trait::async_trait;
use barkeep_database::Postgres;
use sqlx::{query, query_as};

use super::{changes, one};
use crate::Result;
use crate::statements::WatchStatements;

#[async_trait]
impl WatchStatements for Postgres {
    async fn vitals(&self, moved_us: i64, kind: &str) -> Result<String> {
        let statement = query_as(self.sql(include_str!("../../sql/postgres/vitals.sql"))).bind(moved_us).bind(kind);
        let (vitals,) = self.bounded(one(self, statement)).await?;
        Ok(vitals)
    }

    async fn beat(&self, moved_us: i64, name: &str, holder: &str, note: &str) -> Result<()> {
        let statement = query(self.sql(include_str!("../../sql/postgres/beat.sql")))
            .bind(moved_us)
            .bind(name)
            .bind(holder)
            .bind(note);
        self.bounded(changes(self, statement)).await.map(drop)
    }
}
