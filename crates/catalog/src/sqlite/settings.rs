use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::{SqliteSession, instant};
use crate::Result;
use crate::error::failed;
use crate::settings::{SettingChangeRow, SettingRow};
use crate::statements::{SettingEntry, SettingStatements};

#[async_trait]
impl SettingStatements for SqliteSession {
    async fn setting(&mut self, name: &str) -> Result<Option<String>> {
        let statement = query_scalar(include_str!("../../sql/sqlite/setting.sql")).bind(name);
        statement.fetch_optional(&mut *self.held).await.map_err(failed)
    }

    async fn settings(&mut self) -> Result<Vec<SettingRow>> {
        type Row = (String, String, i64, String);
        let statement = query_as(include_str!("../../sql/sqlite/settings.sql"));
        let rows: Vec<Row> = statement.fetch_all(&mut *self.held).await.map_err(failed)?;
        rows.into_iter().map(|(name, json, at, by)| Ok((name, json, instant(at)?, by))).collect()
    }

    async fn set(&mut self, name: &str, json: &str, by: &str) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/set.sql")).bind(name).bind(json).bind(by);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn unset(&mut self, name: &str) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/unset.sql")).bind(name);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn log_setting(&mut self, row: &SettingEntry<'_>) -> Result<()> {
        let statement = query(include_str!("../../sql/sqlite/log_setting.sql"));
        let statement = statement.bind(row.revision).bind(row.name).bind(row.by).bind(row.before).bind(row.after);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn settings_revision(&mut self) -> Result<i64> {
        let statement = query_scalar(include_str!("../../sql/sqlite/settings_revision.sql"));
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    async fn setting_changes(&mut self, limit: i64) -> Result<Vec<SettingChangeRow>> {
        type Row = (i64, i64, String, String, Option<String>, Option<String>);
        let statement = query_as(include_str!("../../sql/sqlite/setting_changes.sql")).bind(limit);
        let rows: Vec<Row> = statement.fetch_all(&mut *self.held).await.map_err(failed)?;
        rows.into_iter()
            .map(|(revision, at, name, by, before, after)| Ok((revision, instant(at)?, name, by, before, after)))
            .collect()
    }
}
