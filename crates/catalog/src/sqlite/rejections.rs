use async_trait::async_trait;
use barkeep_types::Series;
use chrono::DateTime;

use super::SqliteCatalog;
use crate::error::failed;
use crate::rejection::RejectionRow;
use crate::{Error, Rejection, Rejections, Result};

#[async_trait]
impl Rejections for SqliteCatalog {
    async fn reject(&self, series: &Series, code: &str, reason: &str) -> Result<()> {
        self.database
            .bounded(async {
                let mut transaction = self.database.begin().await?;
                sqlx::query(include_str!("../../sql/sqlite/reject.sql"))
                    .bind(series.symbol.as_str())
                    .bind(series.timeframe.as_str())
                    .bind(series.feed.as_str())
                    .bind(series.adjustment.to_string())
                    .bind(code)
                    .bind(reason)
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
                Ok(transaction.commit().await?)
            })
            .await
    }

    async fn rejections(&self) -> Result<Vec<Rejection>> {
        type Row = (String, String, String, String, String, String, i64);
        let rows: Vec<Row> = self
            .database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let rows = sqlx::query_as(include_str!("../../sql/sqlite/rejections.sql"))
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                Ok::<_, Error>(rows)
            })
            .await?;
        let rejection = |(symbol, timeframe, feed, adjustment, code, reason, seconds): Row| {
            let rejected_at = DateTime::from_timestamp(seconds, 0);
            let rejected_at = rejected_at.ok_or_else(|| Error::corrupt(format!("the instant {seconds}")))?;
            RejectionRow { symbol, timeframe, feed, adjustment, code, reason, rejected_at }.rejection()
        };
        let mut rejections = rows.into_iter().map(rejection).collect::<Result<Vec<_>>>()?;
        rejections.sort_by(|left, right| left.series.cmp(&right.series));
        Ok(rejections)
    }

    async fn forgive(&self, series: &[Series]) -> Result<u64> {
        self.database
            .bounded(async {
                let mut transaction = self.database.begin().await?;
                let mut forgiven = 0;
                for series in series {
                    let deleted = sqlx::query(include_str!("../../sql/sqlite/forgive.sql"))
                        .bind(series.symbol.as_str())
                        .bind(series.timeframe.as_str())
                        .bind(series.feed.as_str())
                        .bind(series.adjustment.to_string())
                        .execute(&mut *transaction)
                        .await
                        .map_err(failed)?;
                    forgiven += deleted.rows_affected();
                }
                transaction.commit().await?;
                Ok(forgiven)
            })
            .await
    }
}
