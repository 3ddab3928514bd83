use async_trait::async_trait;
use barkeep_types::Series;

use super::SqliteStore;
use super::tables::names;
use crate::row::{self, Columns};
use crate::{Moment, Result, Rewrite, Traces};

#[async_trait]
impl Traces for SqliteStore {
    async fn moment(&self) -> Result<Option<Moment>> {
        self.batch(None).await
    }

    async fn has_passed(&self, moment: &Moment) -> Result<bool> {
        let Some(batch) = moment.batch() else { return Ok(false) };
        Ok(self.batch(Some(batch)).await?.as_ref() == Some(moment))
    }

    async fn rewrites(&self, series: &[Series]) -> Result<Vec<Vec<Rewrite>>> {
        let statement = self.statement(include_str!("../../sql/sqlite/rewrites.sql")).bind(names(series));
        row::by_question(series.len(), &self.fetch(statement).await?, row::rewrite)
    }
}

impl SqliteStore {
    async fn batch(&self, number: Option<i64>) -> Result<Option<Moment>> {
        let statement = sqlx::query(include_str!("../../sql/sqlite/moment.sql")).bind(number);
        let rows = self.fetch(statement).await?;
        rows.first().map(|row| row.text(0).map(Moment::new)).transpose()
    }
}
