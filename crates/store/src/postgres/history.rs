use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;

use super::PostgresSession;
use crate::columns::Columns as _;
use crate::statements::{AsOf, HistoryStatements};
use crate::{ProviderName, Result};

#[async_trait]
impl HistoryStatements for PostgresSession {
    async fn history(&mut self, provider: &ProviderName) -> Result<Option<DateTime<Utc>>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/history.sql"));
        self.rows(statement).await?.first().map(|row| row.instant(0)).transpose()
    }

    async fn keep_history(&mut self, provider: &ProviderName) -> Result<DateTime<Utc>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/keep_history.sql"));
        self.row(statement).await?.instant(0)
    }

    async fn forget_history(&mut self, provider: &ProviderName) -> Result<()> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/forget_history.sql"));
        self.run(statement).await?;
        Ok(())
    }

    async fn forget_former_bars(&mut self, provider: &ProviderName) -> Result<()> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/forget_former_bars.sql"));
        self.run(statement).await?;
        Ok(())
    }

    async fn bars_as_of(&mut self, provider: &ProviderName, asked: &AsOf<'_>) -> Result<Vec<PgRow>> {
        let statement = self
            .statement_of(provider, include_str!("../../sql/postgres/bars_as_of.sql"))
            .bind(asked.series.symbol.as_str())
            .bind(asked.series.timeframe.as_str())
            .bind(asked.series.feed.as_str())
            .bind(asked.series.adjustment.to_string())
            .bind(asked.range.start())
            .bind(asked.range.end())
            .bind(asked.known_at)
            .bind(asked.limit);
        self.rows(statement).await
    }
}
