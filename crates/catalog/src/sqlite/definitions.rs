use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::{SqliteSession, instant};
use crate::Result;
use crate::error::failed;
use crate::json::ChangeRow;
use crate::statements::{DefinitionRow, DefinitionStatements, EntryRow};

#[async_trait]
impl DefinitionStatements for SqliteSession {
    async fn revise(&mut self) -> Result<i64> {
        let statement = query_scalar(include_str!("../../sql/sqlite/revise.sql"));
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    async fn get(&mut self, name: &str) -> Result<Option<String>> {
        let statement = query_scalar(include_str!("../../sql/sqlite/get.sql")).bind(name);
        statement.fetch_optional(&mut *self.held).await.map_err(failed)
    }

    async fn list(&mut self) -> Result<Vec<String>> {
        let statement = query_scalar(include_str!("../../sql/sqlite/list.sql"));
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }

    async fn put(&mut self, row: &DefinitionRow<'_>) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/put.sql"));
        let statement = statement.bind(row.name).bind(row.enabled).bind(row.priority).bind(&row.json);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn delete(&mut self, name: &str) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/delete.sql")).bind(name);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn log(&mut self, row: &EntryRow<'_>) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/log.sql"));
        let statement = statement.bind(row.revision).bind(row.name).bind(row.kind).bind(&row.before).bind(&row.after);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn changes(&mut self, limit: i64) -> Result<Vec<ChangeRow>> {
        type Row = (i64, String, String, Option<String>, Option<String>);
        let statement = query_as(include_str!("../../sql/sqlite/changes.sql")).bind(limit);
        let rows: Vec<Row> = statement.fetch_all(&mut *self.held).await.map_err(failed)?;
        rows.into_iter().map(|(at, name, kind, before, after)| Ok((instant(at)?, name, kind, before, after))).collect()
    }
}
