use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use sqlx::sqlite::SqliteRow;

use super::{SqliteSession, names, statement_of};
use crate::statements::ReadStatements;
use crate::{ProviderName, Result, row};

#[async_trait]
impl ReadStatements for SqliteSession {
    async fn coverage(
        &mut self,
        provider: &ProviderName,
        series: &[Series],
        within: TimeRange,
    ) -> Result<Vec<SqliteRow>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/coverage.sql"))
            .bind(names(series))
            .bind(within.start().timestamp())
            .bind(within.end().timestamp());
        self.rows(statement).await
    }

    async fn bars(
        &mut self,
        provider: &ProviderName,
        series: &Series,
        range: TimeRange,
        limit: i64,
    ) -> Result<Vec<Bar>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/bars.sql"))
            .bind(series.symbol.as_str())
            .bind(series.timeframe.as_str())
            .bind(series.feed.as_str())
            .bind(series.adjustment.to_string())
            .bind(range.start().timestamp())
            .bind(range.end().timestamp())
            .bind(limit);
        self.rows(statement).await?.iter().map(|row| row::bar(row, 0)).collect()
    }

    async fn latest(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<SqliteRow>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/latest.sql"));
        self.rows(statement.bind(names(series))).await
    }

    async fn summaries(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<SqliteRow>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/summaries.sql"));
        self.rows(statement.bind(names(series))).await
    }

    async fn series(&mut self, provider: &ProviderName) -> Result<Vec<SqliteRow>> {
        self.rows(statement_of(provider, include_str!("../../sql/sqlite/series.sql"))).await
    }

    async fn check(&mut self, provider: &ProviderName) -> Result<Vec<SqliteRow>> {
        self.rows(statement_of(provider, include_str!("../../sql/sqlite/check.sql"))).await
    }
}
