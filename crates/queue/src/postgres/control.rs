use async_trait::async_trait;
use barkeep_database::Postgres;
use sqlx::{query, query_as};

use super::{all, changes, failed, one};
use crate::rows::{self, SelectRow};
use crate::statements::ControlStatements;
use crate::{Cancelled, Result};

#[async_trait]
impl ControlStatements for Postgres {
    async fn cancel(&self, moved_us: i64, which: &SelectRow<'_>) -> Result<(Cancelled, u64)> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/cancel.sql")))
                .bind(moved_us)
                .bind(which.ids.as_deref())
                .bind(which.kind)
                .bind(which.group)
                .bind(which.code)
        };
        Ok(rows::cancelled(one(self, statement).await?))
    }

    async fn reprioritise(&self, which: &SelectRow<'_>, rank: i16) -> Result<u64> {
        let live = || {
            query_as::<_, (i64,)>(self.sql(include_str!("../../sql/postgres/select_live.sql")))
                .bind(which.ids.as_deref())
                .bind(which.kind)
                .bind(which.group)
                .bind(which.code)
        };
        self.bounded(|| async {
            let mut transaction = self.begin().await?;
            let live = live().fetch_all(&mut *transaction).await.map_err(failed)?;
            let ids: Vec<i64> = live.into_iter().map(|(id,)| id).collect();
            let changed = query(self.sql(include_str!("../../sql/postgres/reprioritise.sql")))
                .bind(ids)
                .bind(rank)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            transaction.commit().await?;
            Ok(changed.rows_affected())
        })
        .await
    }

    async fn retry_failed(&self, moved_us: i64, which: &SelectRow<'_>) -> Result<u64> {
        let statement = || {
            query_as::<_, (i64,)>(self.sql(include_str!("../../sql/postgres/retry_failed.sql")))
                .bind(moved_us)
                .bind(which.ids.as_deref())
                .bind(which.kind)
                .bind(which.group)
                .bind(which.code)
        };
        Ok(all(self, statement).await?.len() as u64)
    }

    async fn pause(&self, kind: &str, group: &str) -> Result<()> {
        let statement = || query(self.sql(include_str!("../../sql/postgres/pause.sql"))).bind(kind).bind(group);
        changes(self, statement).await?;
        Ok(())
    }

    async fn resume(&self, kind: &str, group: &str) -> Result<bool> {
        let statement = || query(self.sql(include_str!("../../sql/postgres/resume.sql"))).bind(kind).bind(group);
        Ok(changes(self, statement).await? > 0)
    }

    async fn paused(&self) -> Result<Vec<(String, String)>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/paused.sql")));
        all(self, statement).await
    }

    async fn set_cap(&self, kind: &str, group: &str, cap: Option<i32>) -> Result<()> {
        let statement =
            || query(self.sql(include_str!("../../sql/postgres/set_cap.sql"))).bind(kind).bind(group).bind(cap);
        changes(self, statement).await?;
        Ok(())
    }
}
