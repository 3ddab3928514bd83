use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{PostgresCatalog, PostgresTables};
use crate::error::failed;
use crate::settings::{self, SettingChangeRow, SettingEntry, SettingTables};
use crate::{Error, Result, Setting, SettingChange, SettingsBook, Upserted};

#[async_trait]
impl SettingsBook for PostgresCatalog {
    async fn setting(&self, name: &str) -> Result<Option<Value>> {
        let json: Option<String> = self
            .database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let json = sqlx::query_scalar(self.database.sql(include_str!("../../sql/postgres/setting.sql")))
                    .bind(name)
                    .fetch_optional(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                Ok::<_, Error>(json)
            })
            .await?;
        json.as_deref().map(settings::read).transpose()
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        let rows = self
            .database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let rows = sqlx::query_as(self.database.sql(include_str!("../../sql/postgres/settings.sql")))
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                Ok::<_, Error>(rows)
            })
            .await?;
        rows.into_iter().map(settings::setting).collect()
    }

    async fn set(&self, name: &str, value: &Value, by: &str) -> Result<Upserted> {
        let json = settings::checked(name, value, by)?;
        self.database
            .bounded(async {
                let mut tables = self.begin().await?;
                let set = settings::set(&mut tables, name, &json, by).await;
                tables.end(set, |set| *set != Upserted::Unchanged).await
            })
            .await
    }

    async fn unset(&self, name: &str, by: &str) -> Result<bool> {
        settings::check_author(name, by)?;
        self.database
            .bounded(async {
                let mut tables = self.begin().await?;
                let unset = settings::unset(&mut tables, name, by).await;
                tables.end(unset, |unset| *unset).await
            })
            .await
    }

    async fn settings_revision(&self) -> Result<u64> {
        let stored = self
            .database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let stored =
                    sqlx::query_scalar(self.database.sql(include_str!("../../sql/postgres/settings_revision.sql")))
                        .fetch_one(&mut *connection)
                        .await
                        .map_err(failed)?;
                connection.finish().await?;
                Ok::<i64, Error>(stored)
            })
            .await?;
        settings::revision(stored)
    }

    async fn setting_changes(&self, limit: usize) -> Result<Vec<SettingChange>> {
        type Row = (i64, DateTime<Utc>, String, String, Option<String>, Option<String>);
        let rows: Vec<Row> = self
            .database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let rows = sqlx::query_as(self.database.sql(include_str!("../../sql/postgres/setting_changes.sql")))
                    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                Ok::<_, Error>(rows)
            })
            .await?;
        let change = |(revision, at, name, by, before, after): Row| {
            SettingChangeRow { revision, at, name, by, before, after }.change()
        };
        rows.into_iter().map(change).collect()
    }
}

#[async_trait]
impl SettingTables for PostgresTables {
    async fn setting(&mut self, name: &str) -> Result<Option<String>> {
        let statement =
            sqlx::query_scalar(self.database.sql(include_str!("../../sql/postgres/setting.sql"))).bind(name);
        statement.fetch_optional(&mut *self.transaction).await.map_err(failed)
    }

    async fn set(&mut self, name: &str, json: &str, by: &str) -> Result<()> {
        let statement = sqlx::query(self.database.sql(include_str!("../../sql/postgres/set.sql")));
        statement.bind(name).bind(json).bind(by).execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn unset(&mut self, name: &str) -> Result<()> {
        let statement = sqlx::query(self.database.sql(include_str!("../../sql/postgres/unset.sql")));
        statement.bind(name).execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }

    async fn log_setting(&mut self, entry: SettingEntry<'_>) -> Result<()> {
        sqlx::query(self.database.sql(include_str!("../../sql/postgres/log_setting.sql")))
            .bind(entry.revision)
            .bind(entry.name)
            .bind(entry.by)
            .bind(entry.before)
            .bind(entry.after)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }
}
