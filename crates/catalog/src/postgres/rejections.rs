use async_trait::async_trait;
use barkeep_types::Series;
use sqlx::{query, query_as};

use super::PostgresSession;
use crate::Result;
use crate::error::failed;
use crate::rejection::RejectionRow;
use crate::statements::RejectionStatements;

#[async_trait]
impl RejectionStatements for PostgresSession {
    async fn reject(&mut self, series: &Series, code: &str, reason: &str) -> Result<()> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/reject.sql")))
            .bind(series.symbol.as_str())
            .bind(series.timeframe.as_str())
            .bind(series.feed.as_str())
            .bind(series.adjustment.to_string())
            .bind(code)
            .bind(reason);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn rejections(&mut self) -> Result<Vec<RejectionRow>> {
        let statement = query_as(self.database.sql(include_str!("../../sql/postgres/rejections.sql")));
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }

    async fn forgive(&mut self, series: &Series) -> Result<u64> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/forgive.sql")))
            .bind(series.symbol.as_str())
            .bind(series.timeframe.as_str())
            .bind(series.feed.as_str())
            .bind(series.adjustment.to_string());
        Ok(statement.execute(&mut *self.held).await.map_err(failed)?.rows_affected())
    }
}
