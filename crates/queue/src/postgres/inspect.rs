use async_trait::async_trait;
use barkeep_database::Postgres;
use chrono::{DateTime, Utc};
use sqlx::query_as;

use super::{all, instant, one};
use crate::rows;
use crate::statements::InspectStatements;
use crate::{FinishedJob, LiveJob, Result};

#[async_trait]
impl InspectStatements for Postgres {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>> {
        let statement = query_as(self.sql(include_str!("../../sql/postgres/now.sql"))).bind(moved_us);
        let (now,) = self.bounded(one(self, statement)).await?;
        Ok(now)
    }

    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>> {
        let statement = query_as(self.sql(include_str!("../../sql/postgres/live.sql"))).bind(moved_us).bind(kind);
        Ok(self.bounded(all(self, statement)).await?.into_iter().map(rows::live).collect())
    }

    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>> {
        let statement = query_as(self.sql(include_str!("../../sql/postgres/counts.sql"))).bind(moved_us);
        self.bounded(all(self, statement)).await
    }

    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>> {
        let statement = query_as(self.sql(include_str!("../../sql/postgres/failed.sql"))).bind(kind).bind(limit);
        let finished = self.bounded(all(self, statement)).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>> {
        let statement = query_as(self.sql(include_str!("../../sql/postgres/finished.sql"))).bind(ids);
        let finished = self.bounded(all(self, statement)).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }
}
