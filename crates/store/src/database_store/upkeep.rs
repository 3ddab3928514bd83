use async_trait::async_trait;
use barkeep_types::Series;
use chrono::{DateTime, Utc};

use super::DatabaseStore;
use crate::reach::from_whole_second;
use crate::statements::{Session as _, Statements, UpkeepStatements as _};
use crate::{Forgotten, Result, Upkeep, Withdrawal, write};

/// How many bars are deleted in one transaction. Writers wait that long.
const BARS_AT_A_TIME: u32 = 10_000;

/// How many spans are cut in one transaction: the bars before the cut are counted, of each maybe a million.
const SPANS_AT_A_TIME: i64 = 10;

#[async_trait]
impl<D: Statements> Upkeep for DatabaseStore<D> {
    async fn retain(&self, since: DateTime<Utc>) -> Result<Forgotten> {
        let Some(since) = from_whole_second(since) else { return Ok(Forgotten::default()) };
        while self.withdraw_some(since).await? {}
        let mut forgotten = Forgotten { years: self.forget_years(since).await?, bars: 0 };
        loop {
            let deleted = self.forget_some(since).await?;
            forgotten.bars += deleted;
            if deleted < u64::from(BARS_AT_A_TIME) {
                return Ok(forgotten);
            }
        }
    }

    async fn withdraw(&self, series: &Series, bars: &[Withdrawal]) -> Result<u64> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let withdrawn = write::withdraw(&mut session, &self.provider, series, bars).await?;
                session.finish().await?;
                Ok(withdrawn)
            })
            .await
    }
}

impl<D: Statements> DatabaseStore<D> {
    /// Takes back what some spans say of the time before `since`: ahead of the bars, which are then not covered for a while.
    /// Whether there may be more.
    async fn withdraw_some(&self, since: DateTime<Utc>) -> Result<bool> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin_alone().await?;
                let are_left = session.withdraw_spans(&self.provider, since, SPANS_AT_A_TIME).await?;
                session.finish().await?;
                Ok(are_left)
            })
            .await
    }

    async fn forget_years(&self, since: DateTime<Utc>) -> Result<u64> {
        self.database
            .bounded(|| async {
                let mut session = self.uncovered(since).await?;
                let years = session.drop_years(&self.provider, since).await?;
                session.finish().await?;
                Ok(years)
            })
            .await
    }

    async fn forget_some(&self, since: DateTime<Utc>) -> Result<u64> {
        self.database
            .bounded(|| async {
                let mut session = self.uncovered(since).await?;
                let deleted = session.delete_bars_before(&self.provider, since, i64::from(BARS_AT_A_TIME)).await?;
                session.finish().await?;
                Ok(deleted)
            })
            .await
    }

    /// A session that keeps all other writers away, and in which nothing before `since` is covered. Every time anew:
    /// somebody may have fetched it again meanwhile.
    async fn uncovered(&self, since: DateTime<Utc>) -> Result<D::Session> {
        let mut session = self.database.begin_alone().await?;
        session.bump_before(&self.provider, since).await?;
        session.withdraw_spans(&self.provider, since, i64::MAX).await?;
        session.forget_former_before(&self.provider, since).await?;
        Ok(session)
    }
}
