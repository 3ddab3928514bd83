use async_trait::async_trait;
use barkeep_types::Series;
use sqlx::postgres::PgRow;

use super::{Names, PostgresSession};
use crate::statements::TraceStatements;
use crate::{ProviderName, Result};

#[async_trait]
impl TraceStatements for PostgresSession {
    async fn moment(&mut self, batch: Option<i64>) -> Result<Vec<PgRow>> {
        self.rows(self.statement(include_str!("../../sql/postgres/moment.sql")).bind(batch)).await
    }

    async fn rewrites(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<PgRow>> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/rewrites.sql"));
        self.rows(Names::of(series).bind(statement)).await
    }
}
