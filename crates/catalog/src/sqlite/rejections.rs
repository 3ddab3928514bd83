use async_trait::async_trait;
use barkeep_types::Series;
use sqlx::{query, query_as};

use super::{SqliteSession, instant};
use crate::Result;
use crate::error::failed;
use crate::rejection::RejectionRow;
use crate::statements::RejectionStatements;

#[async_trait]
impl RejectionStatements for SqliteSession {
    async fn reject(&mut self, series: &Series, code: &str, reason: &str) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/reject.sql"))
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
        type Row = (String, String, String, String, String, String, i64);
        let statement = query_as(include_str!("../../sql/sqlite/rejections.sql"));
        let rows: Vec<Row> = statement.fetch_all(&mut *self.held).await.map_err(failed)?;
        rows.into_iter()
            .map(|(symbol, timeframe, feed, adjustment, code, reason, at)| {
                Ok((symbol, timeframe, feed, adjustment, code, reason, instant(at)?))
            })
            .collect()
    }

    async fn forgive(&mut self, series: &Series) -> Result<u64> {
        let statement = query(include_str!("../../sql/sqlite/forgive.sql"))
            .bind(series.symbol.as_str())
            .bind(series.timeframe.as_str())
            .bind(series.feed.as_str())
            .bind(series.adjustment.to_string());
        Ok(statement.execute(&mut *self.held).await.map_err(failed)?.rows_affected())
    }
}
