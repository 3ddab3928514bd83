use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::PostgresSession;
use crate::Result;
use crate::error::failed;
use crate::json::ChangeRow;
use crate::statements::{DefinitionRow, DefinitionStatements, EntryRow};

#[async_trait]
impl DefinitionStatements for PostgresSession {
    async fn revise(&mut self) -> Result<i64> {
        let statement = query_scalar(self.database.sql(include_str!("../../sql/postgres/revise.sql")));
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    async fn get(&mut self, name: &str) -> Result<Option<String>> {
        let statement = query_scalar(self.database.sql(include_str!("../../sql/postgres/get.sql"))).bind(name);
        statement.fetch_optional(&mut *self.held).await.map_err(failed)
    }

    async fn list(&mut self) -> Result<Vec<String>> {
        let statement = query_scalar(self.database.sql(include_str!("../../sql/postgres/list.sql")));
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }

    async fn put(&mut self, row: &DefinitionRow<'_>) -> Result<()> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/put.sql")));
        let statement = statement.bind(row.name).bind(row.enabled).bind(row.priority).bind(&row.json);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn delete(&mut self, name: &str) -> Result<()> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/delete.sql"))).bind(name);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn log(&mut self, row: &EntryRow<'_>) -> Result<()> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/log.sql")));
        let statement = statement.bind(row.revision).bind(row.name).bind(row.kind).bind(&row.before).bind(&row.after);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn changes(&mut self, limit: i64) -> Result<Vec<ChangeRow>> {
        let statement = query_as(self.database.sql(include_str!("../../sql/postgres/changes.sql"))).bind(limit);
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }
}
