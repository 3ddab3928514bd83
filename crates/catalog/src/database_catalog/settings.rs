use async_trait::async_trait;
use serde_json::Value;

use super::{DatabaseCatalog, end, most};
use crate::settings;
use crate::statements::{Session as _, SettingStatements as _, Statements};
use crate::{Result, Setting, SettingChange, SettingsBook, Upserted};

#[async_trait]
impl<D: Statements> SettingsBook for DatabaseCatalog<D> {
    async fn setting(&self, name: &str) -> Result<Option<Value>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let json = session.setting(name).await?;
                session.finish().await?;
                json.as_deref().map(settings::read).transpose()
            })
            .await
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.settings().await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        let mut settings = rows.into_iter().map(settings::setting).collect::<Result<Vec<_>>>()?;
        settings.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(settings)
    }

    async fn set(&self, name: &str, value: &Value, by: &str) -> Result<Upserted> {
        let json = settings::checked(name, value, by)?;
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let set = settings::set(&mut session, name, &json, by).await;
                end(session, set, |set| *set != Upserted::Unchanged).await
            })
            .await
    }

    async fn unset(&self, name: &str, by: &str) -> Result<bool> {
        settings::check_author(name, by)?;
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let unset = settings::unset(&mut session, name, by).await;
                end(session, unset, |unset| *unset).await
            })
            .await
    }

    async fn settings_revision(&self) -> Result<u64> {
        self.database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let stored = session.settings_revision().await?;
                session.finish().await?;
                settings::revision(stored)
            })
            .await
    }

    async fn setting_changes(&self, limit: usize) -> Result<Vec<SettingChange>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.setting_changes(most(limit)).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        rows.into_iter().map(settings::setting_change).collect()
    }
}
