use async_trait::async_trait;
use barkeep_database::Transaction;
use barkeep_types::Series;
use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::tables::PostgresTables;
use crate::error::failed;
use crate::reach::from_whole_second;
use crate::row::Columns;
use crate::upkeep::AT_A_TIME;
use crate::{Error, Forgotten, Result, Upkeep, Withdrawal, write};

/// How many spans are cut in one transaction: the bars before the cut are counted, of each maybe a million.
const SPANS_AT_A_TIME: i64 = 10;

#[async_trait]
impl Upkeep for PostgresStore {
    async fn retain(&self, since: DateTime<Utc>) -> Result<Forgotten> {
        let Some(since) = from_whole_second(since) else { return Ok(Forgotten::default()) };
        while self.withdraw_some(since).await? == SPANS_AT_A_TIME {}
        let mut forgotten = self.forget_years(since).await?;
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
            .bounded(|| async {
                let mut tables = PostgresTables::begin(&self.database, &self.provider).await?;
                let withdrawn = write::withdraw(&mut tables, series, bars).await?;
                tables.commit().await?;
                Ok(withdrawn)
            })
            .await
    }
}

impl PostgresStore {
    /// Takes back what some spans say of the time before `since`: ahead of the bars, which are then not covered for a while.
    async fn withdraw_some(&self, since: DateTime<Utc>) -> Result<i64> {
        self.database
            .bounded(|| async {
                let mut transaction = self.lock_all().await?;
                let withdrawn = self.withdraw_spans(&mut transaction, since, SPANS_AT_A_TIME).await?;
                transaction.commit().await?;
                Ok(withdrawn)
            })
            .await
    }

    async fn withdraw_spans(
        &self,
        transaction: &mut Transaction<sqlx::Postgres>,
        since: DateTime<Utc>,
        most: i64,
    ) -> Result<i64> {
        let statement = self.statement(include_str!("../../sql/postgres/withdraw_spans.sql")).bind(since).bind(most);
        statement.fetch_one(&mut **transaction).await.map_err(failed)?.integer(0)
    }

    async fn forget_years(&self, since: DateTime<Utc>) -> Result<Forgotten> {
        self.database
            .bounded(|| async {
                let mut transaction = self.withdraw(since).await?;
                let statement = self.statement(include_str!("../../sql/postgres/drop_years.sql")).bind(since);
                let years = statement.fetch_one(&mut *transaction).await.map_err(failed)?.integer(0)?;
                transaction.commit().await?;
                Ok(Forgotten { years: u64::try_from(years).map_err(Error::corrupt)?, bars: 0 })
            })
            .await
    }

    async fn forget_some(&self, since: DateTime<Utc>) -> Result<u64> {
        self.database
            .bounded(|| async {
                let mut transaction = self.withdraw(since).await?;
                let statement = self
                    .statement(include_str!("../../sql/postgres/delete_bars_before.sql"))
                    .bind(since)
                    .bind(i64::from(AT_A_TIME));
                let deleted = statement.execute(&mut *transaction).await.map_err(failed)?.rows_affected();
                transaction.commit().await?;
                Ok(deleted)
            })
            .await
    }

    /// A transaction that keeps all other writers away, and in which nothing before `since` is covered. Every time anew:
    /// somebody may have fetched it again meanwhile.
    async fn withdraw(&self, since: DateTime<Utc>) -> Result<Transaction<sqlx::Postgres>> {
        let mut transaction = self.lock_all().await?;
        self.withdraw_spans(&mut transaction, since, i64::MAX).await?;
        for sql in [
            include_str!("../../sql/postgres/bump_before.sql"),
            include_str!("../../sql/postgres/forget_former_before.sql"),
        ] {
            self.statement(sql).bind(since).execute(&mut *transaction).await.map_err(failed)?;
        }
        Ok(transaction)
    }
}
