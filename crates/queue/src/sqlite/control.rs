use async_trait::async_trait;
use barkeep_database::Sqlite;
use sqlx::{query, query_as};

use super::{all, begin, json, read, write, write_all};
use crate::rows::{self, SelectRow};
use crate::statements::ControlStatements;
use crate::{Cancelled, Result};

#[async_trait]
impl ControlStatements for Sqlite {
    async fn cancel(&self, moved_us: i64, which: &SelectRow<'_>) -> Result<(Cancelled, u64)> {
        let answer = write_all(self, moved_us, |now| {
            query_as(include_str!("../../sql/sqlite/cancel.sql"))
                .bind(now)
                .bind(which.ids.as_deref().map(json))
                .bind(which.kind)
                .bind(which.group)
                .bind(which.code)
        })
        .await?;
        Ok(answer.into_iter().next().map(rows::cancelled).unwrap_or_default())
    }

    async fn reprioritise(&self, which: &SelectRow<'_>, rank: i16) -> Result<u64> {
        let live = query_as(include_str!("../../sql/sqlite/select_live.sql"))
            .bind(which.ids.as_deref().map(json))
            .bind(which.kind)
            .bind(which.group)
            .bind(which.code);
        self.bounded(async {
            let (mut transaction, _) = begin(self, 0).await?;
            let live: Vec<(i64,)> = all(&mut transaction, live).await?;
            let ids: Vec<i64> = live.into_iter().map(|(id,)| id).collect();
            let moving = query_as(include_str!("../../sql/sqlite/reprioritise.sql")).bind(json(&ids)).bind(rank);
            let moved: Vec<(i64,)> = all(&mut transaction, moving).await?;
            transaction.commit().await?;
            Ok(moved.len() as u64)
        })
        .await
    }

    async fn retry_failed(&self, moved_us: i64, which: &SelectRow<'_>) -> Result<u64> {
        let retried: Vec<(i64,)> = write_all(self, moved_us, |now| {
            query_as(include_str!("../../sql/sqlite/retry_failed.sql"))
                .bind(now)
                .bind(which.ids.as_deref().map(json))
                .bind(which.kind)
                .bind(which.group)
                .bind(which.code)
        })
        .await?;
        Ok(retried.len() as u64)
    }

    async fn pause(&self, kind: &str, group: &str) -> Result<()> {
        write(self, 0, |_| query(include_str!("../../sql/sqlite/pause.sql")).bind(kind).bind(group)).await?;
        Ok(())
    }

    async fn resume(&self, kind: &str, group: &str) -> Result<bool> {
        Ok(write(self, 0, |_| query(include_str!("../../sql/sqlite/resume.sql")).bind(kind).bind(group)).await? > 0)
    }

    async fn paused(&self) -> Result<Vec<(String, String)>> {
        read(self, 0, |_| query_as(include_str!("../../sql/sqlite/paused.sql"))).await
    }

    async fn set_cap(&self, kind: &str, group: &str, cap: Option<i32>) -> Result<()> {
        let statement = |_| query(include_str!("../../sql/sqlite/set_cap.sql")).bind(kind).bind(group).bind(cap);
        write(self, 0, statement).await?;
        Ok(())
    }
}
