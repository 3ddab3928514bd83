use async_trait::async_trait;
use barkeep_database::Postgres;
use chrono::{DateTime, Utc};
use sqlx::{query, query_as};

use super::{all, changes};
use crate::Result;
use crate::rows::LockRow;
use crate::statements::LockStatements;

#[async_trait]
impl LockStatements for Postgres {
    async fn lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<Option<DateTime<Utc>>> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/lock.sql")))
                .bind(moved_us)
                .bind(lock.name)
                .bind(lock.lease_us)
                .bind(lock.token)
                .bind(lock.holder)
        };
        Ok(all(self, statement).await?.into_iter().map(|(until,)| until).next())
    }

    async fn extend_lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<bool> {
        let statement = || {
            query(self.sql(include_str!("../../sql/postgres/extend_lock.sql")))
                .bind(moved_us)
                .bind(lock.name)
                .bind(lock.token)
                .bind(lock.lease_us)
        };
        Ok(changes(self, statement).await? > 0)
    }

    async fn unlock(&self, lock: &LockRow<'_>) -> Result<bool> {
        let statement =
            || query(self.sql(include_str!("../../sql/postgres/unlock.sql"))).bind(lock.name).bind(lock.token);
        Ok(changes(self, statement).await? > 0)
    }
}
