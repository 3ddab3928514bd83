use async_trait::async_trait;
use barkeep_database::Sqlite;
use chrono::{DateTime, Utc};
use sqlx::query_as;

use super::{failed, instant, json, now, read, write_all};
use crate::blocker::Waiting;
use crate::rows;
use crate::statements::InspectStatements;
use crate::{Attempt, Cap, FinishedJob, LedgerLine, LiveJob, Result};

#[async_trait]
impl InspectStatements for Sqlite {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>> {
        self.bounded(async {
            let mut connection = self.connection().await?;
            let now = now(moved_us).fetch_one(&mut *connection).await.map_err(failed)?;
            connection.finish().await?;
            Ok(instant(now.0))
        })
        .await
    }

    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>> {
        let live = read(self, moved_us, |now| query_as(include_str!("../../sql/sqlite/live.sql")).bind(now).bind(kind))
            .await?;
        Ok(live.into_iter().map(rows::live).collect())
    }

    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>> {
        read(self, moved_us, |now| query_as(include_str!("../../sql/sqlite/counts.sql")).bind(now)).await
    }

    async fn caps(&self) -> Result<Vec<Cap>> {
        let caps = read(self, 0, |_| query_as(include_str!("../../sql/sqlite/caps.sql"))).await?;
        Ok(caps.into_iter().map(rows::cap).collect())
    }

    async fn waiting(&self, moved_us: i64, kind: &str) -> Result<Vec<Waiting>> {
        let statement = |now| query_as(include_str!("../../sql/sqlite/waiting.sql")).bind(now).bind(kind);
        let waiting = read(self, moved_us, statement).await?;
        Ok(waiting.into_iter().map(|row| rows::waiting(row, instant)).collect())
    }

    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>> {
        let finished =
            read(self, 0, |_| query_as(include_str!("../../sql/sqlite/failed.sql")).bind(kind).bind(limit)).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>> {
        let finished =
            read(self, 0, |_| query_as(include_str!("../../sql/sqlite/finished.sql")).bind(json(ids))).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn attempts(&self, id: i64) -> Result<Vec<Attempt>> {
        let statement = |_| query_as(include_str!("../../sql/sqlite/attempts.sql")).bind(id);
        let attempts = read(self, 0, statement).await?;
        Ok(attempts.into_iter().map(|row| rows::attempt(row, instant)).collect())
    }

    async fn ledger(&self, since: DateTime<Utc>) -> Result<Vec<LedgerLine>> {
        let since_us = since.timestamp_micros();
        let statement = |_| query_as(include_str!("../../sql/sqlite/ledger.sql")).bind(since_us);
        let lines = read(self, 0, statement).await?;
        Ok(lines.into_iter().map(|row| rows::ledger_line(row, instant)).collect())
    }

    async fn prune(&self, moved_us: i64, keep_us: i64, limit: i64) -> Result<u64> {
        let deleted: Vec<(i64,)> = write_all(self, moved_us, |now| {
            query_as(include_str!("../../sql/sqlite/prune.sql")).bind(now).bind(keep_us).bind(limit)
        })
        .await?;
        Ok(deleted.first().map_or(0, |deleted| deleted.0.max(0).cast_unsigned()))
    }
}
