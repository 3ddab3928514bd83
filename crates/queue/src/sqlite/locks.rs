use async_trait::async_trait;
use barkeep_database::Sqlite;
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::{instant, write, write_all};
use crate::Result;
use crate::rows::LockRow;
use crate::statements::LockStatements;

#[async_trait]
impl LockStatements for Sqlite {
    async fn lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<Option<DateTime<Utc>>> {
        let until: Vec<(i64,)> = write_all(self, moved_us, |now| {
            query_as(include_str!("../../sql/sqlite/lock.sql"))
                .bind(now)
                .bind(lock.name)
                .bind(lock.lease_us)
                .bind(lock.token.to_string())
                .bind(lock.holder)
        })
        .await?;
        Ok(until.first().map(|until| instant(until.0)))
    }

    async fn extend_lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<bool> {
        let extended = write(self, moved_us, |now| {
            query(include_str!("../../sql/sqlite/extend_lock.sql"))
                .bind(now)
                .bind(lock.name)
                .bind(lock.token.to_string())
                .bind(lock.lease_us)
        });
        Ok(extended.await? > 0)
    }

    async fn unlock(&self, lock: &LockRow<'_>) -> Result<bool> {
        let unlocked = write(self, 0, |_| {
            query(include_str!("../../sql/sqlite/unlock.sql")).bind(lock.name).bind(lock.token.to_string())
        });
        Ok(unlocked.await? > 0)
    }
}
