use async_trait::async_trait;
use barkeep_types::Series;
use chrono::{DateTime, Utc};

use super::SqliteStore;
use super::tables::SqliteTables;
use crate::error::failed;
use crate::reach::from_whole_second;
use crate::upkeep::AT_A_TIME;
use crate::{Forgotten, Result, Upkeep, Withdrawal, write};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn retain(&self, since: DateTime<Utc>) -> Result<Forgotten> {
        let Some(since) = from_whole_second(since) else { return Ok(Forgotten::default()) };
        let mut forgotten = Forgotten::default();
        loop {
            let deleted = self.forget_some(since).await?;
            forgotten.bars += deleted;
            if deleted < u64::from(AT_A_TIME) {
                return Ok(forgotten);
            }
        }
    }

    async fn withdraw(&self, series: &Series, bars: &[Withdrawal]) -> Result<u64> {
        self.database
            .bounded(async {
                let mut tables = SqliteTables::begin(&self.database, &self.provider).await?;
                let withdrawn = write::withdraw(&mut tables, series, bars).await?;
                tables.commit().await?;
                Ok(withdrawn)
            })
            .await
    }
}

impl SqliteStore {
    /// Deletes some bars in a transaction in which nothing before `since` is covered. Every time anew: somebody may have
    /// fetched it again meanwhile.
    async fn forget_some(&self, since: DateTime<Utc>) -> Result<u64> {
        self.database
            .bounded(async {
                let mut transaction = self.database.begin().await?;
                for sql in [
                    include_str!("../../sql/sqlite/bump_before.sql"),
                    include_str!("../../sql/sqlite/withdraw_spans.sql"),
                    include_str!("../../sql/sqlite/forget_former_before.sql"),
                ] {
                    self.statement(sql).bind(since.timestamp()).execute(&mut *transaction).await.map_err(failed)?;
                }
                let statement = self
                    .statement(include_str!("../../sql/sqlite/delete_bars_before.sql"))
                    .bind(since.timestamp())
                    .bind(AT_A_TIME);
                let deleted = statement.execute(&mut *transaction).await.map_err(failed)?.rows_affected();
                transaction.commit().await?;
                Ok(deleted)
            })
            .await
    }
}
