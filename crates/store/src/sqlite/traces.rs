use async_trait::async_trait;
use barkeep_types::Series;
use sqlx::sqlite::SqliteRow;

use super::{SqliteSession, names, statement, statement_of};
use crate::statements::TraceStatements;
use crate::{ProviderName, Result};

#[async_trait]
impl TraceStatements for SqliteSession {
    async fn moment(&mut self, batch: Option<i64>) -> Result<Vec<SqliteRow>> {
        self.rows(statement(include_str!("../../sql/sqlite/moment.sql")).bind(batch)).await
    }

    async fn rewrites(&mut self, provider: &ProviderName, series: &[Series]) -> Result<Vec<SqliteRow>> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/rewrites.sql"));
        self.rows(statement.bind(names(series))).await
    }
}
