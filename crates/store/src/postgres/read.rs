use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use futures::TryStreamExt as _;
use futures::future::ready;
use sqlx::postgres::PgRow;

use super::{Names, PostgresSession};
use crate::error::failed;
use crate::statements::ReadStatements;
use crate::{ProviderName, Result, row};

#[async_trait]
impl ReadStatements for PostgresSession {
    async fn coverage(&mut self, provider: &ProviderName, series: &[Series], within: TimeRange) -> Result<Vec<PgRow>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/coverage.sql"));
        let statement = Names::of(series).bind(statement).bind(within.start()).bind(within.end());
        self.rows(statement).await
    }

    async fn bars(
        &mut self,
        provider: &ProviderName,
        series: &Series,
        range: TimeRange,
        limit: i64,
    ) -> Result<Vec<Bar>> {
        let statement = self
            .statement_of(provider, include_str!("../../sql/postgres/bars.sql"))
            .bind(series.symbol.as_str())
            .bind(series.timeframe.as_str())
            .bind(series.feed.as_str())
            .bind(series.adjustment.to_string())
            .bind(range.start())
            .bind(range.end())
            .bind(limit);
        // Each is read while the server sends the next.
        let bars = statement.fetch(&mut *self.held).map_err(failed).and_then(|row| ready(row::bar(&row, 0)));
        bars.try_collect().await
    }

    async fn latest(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<PgRow>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/latest.sql"));
        self.rows(Names::of(series).bind(statement)).await
    }

    async fn summaries(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<PgRow>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/summaries.sql"));
        self.rows(Names::of(series).bind(statement)).await
    }

    async fn series(&mut self, provider: &ProviderName) -> Result<Vec<PgRow>> {
        self.rows(self.statement_of(provider, include_str!("../../sql/postgres/series.sql"))).await
    }

    async fn check(&mut self, provider: &ProviderName) -> Result<Vec<PgRow>> {
        self.rows(self.statement_of(provider, include_str!("../../sql/postgres/check.sql"))).await
    }
}
