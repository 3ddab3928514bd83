use async_trait::async_trait;
use barkeep_types::Series;

use super::DatabaseCatalog;
use crate::rejection::rejection;
use crate::statements::{RejectionStatements as _, Session as _, Statements};
use crate::{Rejection, Rejections, Result};

#[async_trait]
impl<D: Statements> Rejections for DatabaseCatalog<D> {
    async fn reject(&self, series: &Series, code: &str, reason: &str) -> Result<()> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                session.reject(series, code, reason).await?;
                session.finish().await
            })
            .await
    }

    async fn rejections(&self) -> Result<Vec<Rejection>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.rejections().await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        let mut rejections = rows.into_iter().map(rejection).collect::<Result<Vec<_>>>()?;
        rejections.sort_by(|left, right| left.series.cmp(&right.series));
        Ok(rejections)
    }

    async fn forgive(&self, series: &[Series]) -> Result<u64> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let mut forgiven = 0;
                for series in series {
                    forgiven += session.forgive(series).await?;
                }
                session.finish().await?;
                Ok(forgiven)
            })
            .await
    }
}
