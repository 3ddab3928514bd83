use async_trait::async_trait;
use barkeep_database::Postgres;
use chrono::{DateTime, Utc};
use sqlx::query_as;

use super::{all, instant, one};
use crate::blocker::Waiting;
use crate::rows;
use crate::statements::InspectStatements;
use crate::{Attempt, Cap, FinishedJob, LedgerLine, LiveJob, Result};

#[async_trait]
impl InspectStatements for Postgres {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/now.sql"))).bind(moved_us);
        let (now,) = one(self, statement).await?;
        Ok(now)
    }

    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/live.sql"))).bind(moved_us).bind(kind);
        Ok(all(self, statement).await?.into_iter().map(rows::live).collect())
    }

    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/counts.sql"))).bind(moved_us);
        all(self, statement).await
    }

    async fn caps(&self) -> Result<Vec<Cap>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/caps.sql")));
        Ok(all(self, statement).await?.into_iter().map(rows::cap).collect())
    }

    async fn waiting(&self, moved_us: i64, kind: &str) -> Result<Vec<Waiting>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/waiting.sql"))).bind(moved_us).bind(kind);
        let waiting = all(self, statement).await?;
        Ok(waiting.into_iter().map(|row| rows::waiting(row, instant)).collect())
    }

    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/failed.sql"))).bind(kind).bind(limit);
        let finished = all(self, statement).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/finished.sql"))).bind(ids);
        let finished = all(self, statement).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn attempts(&self, id: i64) -> Result<Vec<Attempt>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/attempts.sql"))).bind(id);
        let attempts = all(self, statement).await?;
        Ok(attempts.into_iter().map(|row| rows::attempt(row, instant)).collect())
    }

    async fn ledger(&self, since: DateTime<Utc>) -> Result<Vec<LedgerLine>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/ledger.sql"))).bind(since);
        let lines = all(self, statement).await?;
        Ok(lines.into_iter().map(|row| rows::ledger_line(row, instant)).collect())
    }

    async fn prune(&self, moved_us: i64, keep_us: i64, limit: i64) -> Result<u64> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/prune.sql"))).bind(moved_us).bind(keep_us).bind(limit)
        };
        let (deleted,): (i64,) = one(self, statement).await?;
        Ok(deleted.max(0).cast_unsigned())
    }
}
