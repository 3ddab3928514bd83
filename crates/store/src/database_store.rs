mod history;
mod traces;
mod upkeep;

use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};

use crate::page::Page;
use crate::reach::whole_seconds;
use crate::statements::{ReadStatements as _, Session as _, Statements};
use crate::{Commit, Committed, Finding, ProviderName, Result, Span, Store, Summary, Traces, row, write};

/// How often a page is tried that something kept out which can be put right: bars that somebody who takes no locks inserted
/// meanwhile, or a year that there was no room for.
const ATTEMPTS: usize = 5;

/// Bars in a database: [`PostgresStore`](crate::PostgresStore) or [`SqliteStore`](crate::SqliteStore). A clone is a handle
/// to the same.
///
/// Everything but the SQL is here, so that the two cannot come to differ.
#[derive(Clone, Debug)]
pub struct DatabaseStore<D> {
    pub(crate) database: D,
    provider: ProviderName,
}

impl<D: Statements> DatabaseStore<D> {
    pub(crate) fn new(database: D, provider: ProviderName) -> Self {
        Self { database, provider }
    }

    async fn attempt(&self, page: &Page<'_>) -> Result<Committed> {
        self.database
            .bounded(|| async {
                // The page is identified while the database begins.
                let (session, digest) = tokio::join!(self.database.begin(), async { page.digest(&self.provider) });
                let mut session = session?;
                let committed = write::commit(&mut session, page, digest, &self.provider).await?;
                session.finish().await?;
                Ok(committed)
            })
            .await
    }
}

#[async_trait]
impl<D: Statements> Store for DatabaseStore<D> {
    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        let page = Page::new(commit)?;
        for _ in 1..ATTEMPTS {
            match self.attempt(&page).await {
                Err(error) => self.database.make_way(error, &page.years()).await?,
                committed => return committed,
            }
        }
        self.attempt(&page).await
    }

    async fn suspect(&self, series: &Series, range: TimeRange) -> Result<()> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                write::suspect(&mut session, &self.provider, series, range).await?;
                session.finish().await
            })
            .await
    }

    async fn coverage(&self, series: &[Series], within: TimeRange) -> Result<Vec<Vec<Span>>> {
        let Some(within) = whole_seconds(within) else { return Ok(vec![Vec::new(); series.len()]) };
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.coverage(&self.provider, series, within).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        row::by_question(series.len(), &rows, row::span)
    }

    async fn bars(&self, series: &Series, range: TimeRange, limit: usize) -> Result<Vec<Bar>> {
        let Some(range) = whole_seconds(range) else { return Ok(Vec::new()) };
        self.database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let bars = session.bars(&self.provider, series, range, most(limit)).await?;
                session.finish().await?;
                Ok(bars)
            })
            .await
    }

    async fn latest(&self, series: &[Series]) -> Result<Vec<Option<Bar>>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.latest(&self.provider, series).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        row::one_by_question(series.len(), &rows, row::bar)
    }

    async fn summaries(&self, series: &[Series]) -> Result<Vec<Summary>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.summaries(&self.provider, series).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        let summaries = row::one_by_question(series.len(), &rows, row::summary)?;
        Ok(summaries.into_iter().map(Option::unwrap_or_default).collect())
    }

    async fn series(&self) -> Result<Vec<Series>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.series(&self.provider).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        let mut series = rows.iter().map(row::series).collect::<Result<Vec<_>>>()?;
        series.sort();
        Ok(series)
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        // Not bounded: every bar is read, and how many there are nobody can say.
        let mut session = self.database.look().await?;
        let rows = session.check(&self.provider).await?;
        session.finish().await?;
        rows.iter().map(row::finding).collect()
    }

    fn traces(&self) -> Option<&dyn Traces> {
        Some(self)
    }
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
