use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PostgresSession;
use crate::columns::Columns as _;
use crate::statements::UpkeepStatements;
use crate::{Error, ProviderName, Result};

#[async_trait]
impl UpkeepStatements for PostgresSession {
    async fn bump_before(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<()> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/bump_before.sql"));
        self.run(statement.bind(since)).await?;
        Ok(())
    }

    async fn withdraw_spans(&mut self, provider: &ProviderName, since: DateTime<Utc>, most: i64) -> Result<bool> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/withdraw_spans.sql"));
        let statement = statement.bind(since).bind(most);
        Ok(self.row(statement).await?.integer(0)? == most)
    }

    async fn forget_former_before(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<()> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/forget_former_before.sql"));
        self.run(statement.bind(since)).await?;
        Ok(())
    }

    async fn drop_years(&mut self, provider: &ProviderName, since: DateTime<Utc>) -> Result<u64> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/drop_years.sql"));
        let years = self.row(statement.bind(since)).await?.integer(0)?;
        u64::try_from(years).map_err(Error::corrupt)
    }

    async fn delete_bars_before(&mut self, provider: &ProviderName, since: DateTime<Utc>, most: i64) -> Result<u64> {
        let statement = self.statement_of(provider, include_str!("../../sql/postgres/delete_bars_before.sql"));
        self.run(statement.bind(since).bind(most)).await
    }
}
