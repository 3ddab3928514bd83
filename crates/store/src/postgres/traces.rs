use async_trait::async_trait;
use barkeep_types::Series;

use super::PostgresStore;
use super::tables::Names;
use crate::row::{self, Columns};
use crate::{Moment, Result, Rewrite, Traces};

#[async_trait]
impl Traces for PostgresStore {
    async fn moment(&self) -> Result<Option<Moment>> {
        self.batch(None).await
    }

    async fn has_passed(&self, moment: &Moment) -> Result<bool> {
        let Some(batch) = moment.batch() else { return Ok(false) };
        Ok(self.batch(Some(batch)).await?.as_ref() == Some(moment))
    }

    async fn rewrites(&self, series: &[Series]) -> Result<Vec<Vec<Rewrite>>> {
        let statement = || Names::of(series).bind(self.statement(include_str!("../../sql/postgres/rewrites.sql")));
        row::by_question(series.len(), &self.fetch(statement).await?, row::rewrite)
    }
}

impl PostgresStore {
    async fn batch(&self, number: Option<i64>) -> Result<Option<Moment>> {
        let sql = self.database.sql(include_str!("../../sql/postgres/moment.sql"));
        let rows = self.fetch(|| sqlx::query(sql.clone()).bind(number)).await?;
        rows.first().map(|row| row.text(0).map(Moment::new)).transpose()
    }
}
