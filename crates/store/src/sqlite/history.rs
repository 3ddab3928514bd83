use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;

use super::{SqliteSession, statement_of};
use crate::columns::Columns as _;
use crate::statements::{AsOf, HistoryStatements};
use crate::{Error, ProviderName, Result};

#[async_trait]
impl HistoryStatements for SqliteSession {
    async fn history(&mut self, provider: &ProviderName) -> Result<Option<DateTime<Utc>>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/history.sql"));
        self.rows(statement).await?.first().map(|row| milliseconds(row.integer(0)?)).transpose()
    }

    async fn keep_history(&mut self, provider: &ProviderName) -> Result<DateTime<Utc>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/keep_history.sql"));
        milliseconds(self.row(statement).await?.integer(0)?)
    }

    async fn forget_history(&mut self, provider: &ProviderName) -> Result<()> {
        self.run(statement_of(provider, include_str!("../../sql/sqlite/forget_history.sql"))).await?;
        Ok(())
    }

    async fn forget_former_bars(&mut self, provider: &ProviderName) -> Result<()> {
        self.run(statement_of(provider, include_str!("../../sql/sqlite/forget_former_bars.sql"))).await?;
        Ok(())
    }

    async fn bars_as_of(&mut self, provider: &ProviderName, asked: &AsOf<'_>) -> Result<Vec<SqliteRow>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/bars_as_of.sql"))
            .bind(asked.series.symbol.as_str())
            .bind(asked.series.timeframe.as_str())
            .bind(asked.series.feed.as_str())
            .bind(asked.series.adjustment.to_string())
            .bind(asked.range.start().timestamp())
            .bind(asked.range.end().timestamp())
            .bind(asked.known_at.timestamp_millis())
            .bind(asked.limit);
        self.rows(statement).await
    }
}

fn milliseconds(since_1970: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(since_1970).ok_or_else(|| Error::corrupt("an instant out of reach"))
}
