use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::PostgresSession;
use crate::Result;
use crate::error::failed;
use crate::settings::{SettingChangeRow, SettingRow};
use crate::statements::{SettingEntry, SettingStatements};

#[async_trait]
impl SettingStatements for PostgresSession {
    async fn setting(&mut self, name: &str) -> Result<Option<String>> {
        let statement = query_scalar(self.database.sql(include_str!("../../sql/postgres/setting.sql"))).bind(name);
        statement.fetch_optional(&mut *self.held).await.map_err(failed)
    }

    async fn settings(&mut self) -> Result<Vec<SettingRow>> {
        let statement = query_as(self.database.sql(include_str!("../../sql/postgres/settings.sql")));
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }

    async fn set(&mut self, name: &str, json: &str, by: &str) -> Result<()> {
        let statement =
            query(self.database.sql(include_str!("../../sql/postgres/set.sql"))).bind(name).bind(json).bind(by);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn unset(&mut self, name: &str) -> Result<()> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/unset.sql"))).bind(name);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn log_setting(&mut self, row: &SettingEntry<'_>) -> Result<()> {
        let statement = query(self.database.sql(include_str!("../../sql/postgres/log_setting.sql")));
        let statement = statement.bind(row.revision).bind(row.name).bind(row.by).bind(row.before).bind(row.after);
        statement.execute(&mut *self.held).await.map_err(failed)?;
        Ok(())
    }

    async fn settings_revision(&mut self) -> Result<i64> {
        let statement = query_scalar(self.database.sql(include_str!("../../sql/postgres/settings_revision.sql")));
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    async fn setting_changes(&mut self, limit: i64) -> Result<Vec<SettingChangeRow>> {
        let statement = query_as(self.database.sql(include_str!("../../sql/postgres/setting_changes.sql"))).bind(limit);
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }
}
