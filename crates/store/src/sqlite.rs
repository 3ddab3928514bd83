use async_trait::async_trait;
use barkeep_database::{Migrations, Sqlite, Step};
use barkeep_types::{Bar, Series, TimeRange};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use crate::error::failed;
use crate::page::Page;
use crate::reach::whole_seconds;
use crate::row;
use crate::{Commit, Committed, Finding, ProviderName, Result, Span, Store, Summary, Traces, write};

mod columns;
mod history;
mod tables;
mod traces;
mod upkeep;

use tables::{SqliteTables, names};

const MIGRATIONS: Migrations = Migrations {
    component: "store",
    steps: &[
        Step { version: 1, sql: include_str!("../migrations/sqlite/0001_bars.sql") },
        Step { version: 2, sql: include_str!("../migrations/sqlite/0002_views.sql") },
        Step { version: 3, sql: include_str!("../migrations/sqlite/0003_rewrites.sql") },
    ],
};

/// Bars in a SQLite file. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    database: Sqlite,
    provider: ProviderName,
}

type Statement<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

impl SqliteStore {
    /// The store of `provider`'s bars in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database): the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Sqlite, provider: ProviderName) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self { database: database.clone(), provider })
    }

    /// A statement whose first argument is the provider.
    fn statement(&self, sql: &'static str) -> Statement<'_> {
        sqlx::query(sql).bind(self.provider.as_str())
    }

    async fn fetch(&self, statement: Statement<'_>) -> Result<Vec<SqliteRow>> {
        self.database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let rows = statement.fetch_all(&mut *connection).await.map_err(failed)?;
                connection.finish().await?;
                Ok(rows)
            })
            .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        let page = Page::new(commit)?;
        self.database
            .bounded(async {
                let mut tables = SqliteTables::begin(&self.database, &self.provider).await?;
                let committed = write::commit(&mut tables, &page, &self.provider).await?;
                tables.commit().await?;
                Ok(committed)
            })
            .await
    }

    async fn suspect(&self, series: &Series, range: TimeRange) -> Result<()> {
        self.database
            .bounded(async {
                let mut tables = SqliteTables::begin(&self.database, &self.provider).await?;
                write::suspect(&mut tables, series, range).await?;
                tables.commit().await
            })
            .await
    }

    async fn coverage(&self, series: &[Series], within: TimeRange) -> Result<Vec<Vec<Span>>> {
        let Some(within) = whole_seconds(within) else { return Ok(vec![Vec::new(); series.len()]) };
        let statement = self
            .statement(include_str!("../sql/sqlite/coverage.sql"))
            .bind(names(series))
            .bind(within.start().timestamp())
            .bind(within.end().timestamp());
        row::by_question(series.len(), &self.fetch(statement).await?, row::span)
    }

    async fn bars(&self, series: &Series, range: TimeRange, limit: usize) -> Result<Vec<Bar>> {
        let Some(range) = whole_seconds(range) else { return Ok(Vec::new()) };
        let statement = self
            .statement(include_str!("../sql/sqlite/bars.sql"))
            .bind(series.symbol.as_str())
            .bind(series.timeframe.as_str())
            .bind(series.feed.as_str())
            .bind(series.adjustment.to_string())
            .bind(range.start().timestamp())
            .bind(range.end().timestamp())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        self.fetch(statement).await?.iter().map(|row| row::bar(row, 0)).collect()
    }

    async fn latest(&self, series: &[Series]) -> Result<Vec<Option<Bar>>> {
        let statement = self.statement(include_str!("../sql/sqlite/latest.sql")).bind(names(series));
        row::one_by_question(series.len(), &self.fetch(statement).await?, row::bar)
    }

    async fn summaries(&self, series: &[Series]) -> Result<Vec<Summary>> {
        let statement = self.statement(include_str!("../sql/sqlite/summaries.sql")).bind(names(series));
        let summaries = row::one_by_question(series.len(), &self.fetch(statement).await?, row::summary)?;
        Ok(summaries.into_iter().map(Option::unwrap_or_default).collect())
    }

    async fn series(&self) -> Result<Vec<Series>> {
        let statement = self.statement(include_str!("../sql/sqlite/series.sql"));
        let mut series = self.fetch(statement).await?.iter().map(row::series).collect::<Result<Vec<_>>>()?;
        series.sort();
        Ok(series)
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        let mut connection = self.database.connection().await?;
        // Not bounded: every bar is read, and how many there are nobody can say.
        let statement = self.statement(include_str!("../sql/sqlite/check.sql"));
        let rows = statement.fetch_all(&mut *connection).await.map_err(failed)?;
        connection.finish().await?;
        rows.iter().map(row::finding).collect()
    }

    fn traces(&self) -> Option<&dyn Traces> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
