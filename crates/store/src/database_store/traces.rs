use async_trait::async_trait;
use barkeep_types::Series;

use super::DatabaseStore;
use crate::columns::Columns as _;
use crate::statements::{Session as _, Statements, TraceStatements as _};
use crate::{Moment, Result, Rewrite, Traces, row};

#[async_trait]
impl<D: Statements> Traces for DatabaseStore<D> {
    async fn moment(&self) -> Result<Option<Moment>> {
        self.batch(None).await
    }

    async fn has_passed(&self, moment: &Moment) -> Result<bool> {
        let Some(batch) = moment.batch() else { return Ok(false) };
        Ok(self.batch(Some(batch)).await?.as_ref() == Some(moment))
    }

    async fn rewrites(&self, series: &[Series]) -> Result<Vec<Vec<Rewrite>>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.rewrites(&self.provider, series).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        row::by_question(series.len(), &rows, row::rewrite)
    }
}

impl<D: Statements> DatabaseStore<D> {
    async fn batch(&self, number: Option<i64>) -> Result<Option<Moment>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.moment(number).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        rows.first().map(|row| row.text(0).map(Moment::new)).transpose()
    }
}
