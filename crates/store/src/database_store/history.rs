use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};

use super::{DatabaseStore, most};
use crate::reach::whole_seconds;
use crate::statements::{AsOf, HistoryStatements as _, Session as _, Statements};
use crate::{Error, History, Result, row};

#[async_trait]
impl<D: Statements> History for DatabaseStore<D> {
    async fn keep_history(&self) -> Result<DateTime<Utc>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin_alone().await?;
                let since = session.keep_history(&self.provider).await?;
                session.finish().await?;
                Ok(since)
            })
            .await
    }

    async fn forget_history(&self) -> Result<()> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin_alone().await?;
                session.forget_history(&self.provider).await?;
                session.forget_former_bars(&self.provider).await?;
                session.finish().await
            })
            .await
    }

    async fn bars_as_of(
        &self,
        series: &Series,
        range: TimeRange,
        known_at: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Bar>> {
        let since = self.kept_since().await?;
        if since.is_none_or(|since| known_at < since) {
            return Err(Error::NoHistory { asked: known_at, since });
        }
        let Some(range) = whole_seconds(range) else { return Ok(Vec::new()) };
        let asked = AsOf { series, range, known_at, limit: most(limit) };
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.bars_as_of(&self.provider, &asked).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        rows.iter().map(|row| row::bar(row, 0)).collect()
    }
}

impl<D: Statements> DatabaseStore<D> {
    async fn kept_since(&self) -> Result<Option<DateTime<Utc>>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let since = session.history(&self.provider).await?;
                session.finish().await?;
                Ok(since)
            })
            .await
    }
}
