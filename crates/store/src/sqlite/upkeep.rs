use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{SqliteSession, statement_of};
use crate::statements::UpkeepStatements;
use crate::{ProviderName, Result};

#[async_trait]
impl UpkeepStatements for SqliteSession {
    async fn bump_before(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<()> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/bump_before.sql"));
        self.run(statement.bind(since.timestamp())).await?;
        Ok(())
    }

    /// All of them: a script cannot say the same few in each of its statements.
    async fn withdraw_spans(&mut self, provider: &ProviderName, since: DateTime<Utc>, _most: i64) -> Result<bool> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/withdraw_spans.sql"));
        self.run(statement.bind(since.timestamp())).await?;
        Ok(false)
    }

    async fn forget_former_before(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<()> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/forget_former_before.sql"));
        self.run(statement.bind(since.timestamp())).await?;
        Ok(())
    }

    /// None: all years are in one table.
    async fn drop_years(&mut self, _provider: &ProviderName, _since: DateTime<Utc>) -> Result<u64> {
        Ok(0)
    }

    async fn delete_bars_before(&mut self, provider: &ProviderName, since: DateTime<Utc>, most: i64) -> Result<u64> {
        let statement = statement_of(provider, include_str!("../../sql/sqlite/delete_bars_before.sql"));
        self.run(statement.bind(since.timestamp()).bind(most)).await
    }
}
