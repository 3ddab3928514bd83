use async_trait::async_trait;
use barkeep_database::Sqlite;
use chrono::{DateTime, Utc};
use sqlx::query_as;

use super::{failed, instant, json, now, read};
use crate::rows;
use crate::statements::InspectStatements;
use crate::{FinishedJob, LiveJob, Result};

#[async_trait]
impl InspectStatements for Sqlite {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>> {
        self.bounded(async {
            let mut connection = self.connection().await?;
            let now = now(moved_us).fetch_one(&mut *connection).await.map_err(failed)?;
            connection.finish();
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
}
