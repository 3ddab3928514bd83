use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};

use super::PostgresStore;
use crate::error::failed;
use crate::reach::whole_seconds;
use crate::row::{self, Columns};
use crate::{Error, History, Result};

#[async_trait]
impl History for PostgresStore {
    async fn keep_history(&self) -> Result<DateTime<Utc>> {
        self.database
            .bounded(|| async {
                let mut transaction = self.lock_all().await?;
                let statement = self.statement(include_str!("../../sql/postgres/keep_history.sql"));
                let since = statement.fetch_one(&mut *transaction).await.map_err(failed)?.instant(0)?;
                transaction.commit().await?;
                Ok(since)
            })
            .await
    }

    async fn forget_history(&self) -> Result<()> {
        self.database
            .bounded(|| async {
                let mut transaction = self.lock_all().await?;
                for sql in [
                    include_str!("../../sql/postgres/forget_history.sql"),
                    include_str!("../../sql/postgres/forget_former_bars.sql"),
                ] {
                    self.statement(sql).execute(&mut *transaction).await.map_err(failed)?;
                }
                Ok(transaction.commit().await?)
            })
            .await
    }

    async fn bars_as_of(
        &self,
        series: &Series,
        range: TimeRange,
        known_at: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Bar>> {
        let kept = self.fetch(|| self.statement(include_str!("../../sql/postgres/history.sql"))).await?;
        let since = kept.first().map(|row| row.instant(0)).transpose()?;
        if since.is_none_or(|since| known_at < since) {
            return Err(Error::NoHistory { asked: known_at, since });
        }
        let Some(range) = whole_seconds(range) else { return Ok(Vec::new()) };
        let statement = || {
            self.statement(include_str!("../../sql/postgres/bars_as_of.sql"))
                .bind(series.symbol.as_str())
                .bind(series.timeframe.as_str())
                .bind(series.feed.as_str())
                .bind(series.adjustment.to_string())
                .bind(range.start())
                .bind(range.end())
                .bind(known_at)
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        };
        self.fetch(statement).await?.iter().map(|row| row::bar(row, 0)).collect()
    }
}
