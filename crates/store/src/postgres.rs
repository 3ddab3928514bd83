use async_trait::async_trait;
use barkeep_database::{Migrations, Postgres, Step, Transaction};
use barkeep_types::{Bar, Series, TimeRange};
use sqlx::Row;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;

use crate::error::failed;
use crate::page::Page;
use crate::reach::whole_seconds;
use crate::row;
use crate::{Commit, Committed, Error, Finding, ProviderName, Result, Span, Store, Summary, Traces, write};

mod columns;
mod copy;
mod history;
mod tables;
mod traces;
mod upkeep;

use tables::{Names, PostgresTables};

const MIGRATIONS: Migrations = Migrations {
    component: "store",
    steps: &[
        Step { version: 1, sql: include_str!("../migrations/postgres/0001_bars.sql") },
        Step { version: 2, sql: include_str!("../migrations/postgres/0002_views.sql") },
        Step { version: 3, sql: include_str!("../migrations/postgres/0003_rewrites.sql") },
    ],
};

/// How often a page is compared anew because somebody who takes no locks inserted its bars meanwhile.
const ATTEMPTS: usize = 5;

/// Bars in a PostgreSQL database. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    database: Postgres,
    provider: ProviderName,
}

type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

impl PostgresStore {
    /// The store of `provider`'s bars in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`]: the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Postgres, provider: ProviderName) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        let store = Self { database: database.clone(), provider };
        if store.lacks_room().await? {
            store.make_room(&[]).await?;
        }
        Ok(store)
    }

    /// Whether this year or the next has no partition yet. Whoever may not make one need not know.
    async fn lacks_room(&self) -> Result<bool> {
        let sql = self.database.sql(include_str!("../sql/postgres/missing_years.sql"));
        let rows = self.fetch(|| sqlx::query(sql.clone()).bind(Vec::<i32>::new())).await?;
        let missing = rows.first().map(|row| row.try_get::<Vec<i32>, _>(0)).transpose().map_err(failed)?;
        Ok(missing.is_some_and(|years| !years.is_empty()))
    }

    /// Makes the partitions of some years, and those ahead. In a transaction of its own: what a page waits for while it
    /// holds the lock on the table would have to wait for others' pages.
    async fn make_room(&self, years: &[i32]) -> Result<()> {
        let sql = self.database.sql(include_str!("../sql/postgres/make_room.sql"));
        self.fetch(|| sqlx::query(sql.clone()).bind(years)).await?;
        Ok(())
    }

    /// A statement whose first argument is the provider.
    fn statement(&self, sql: &'static str) -> Statement<'_> {
        sqlx::query(self.database.sql(sql)).bind(self.provider.as_str())
    }

    async fn fetch<'q>(&self, statement: impl Fn() -> Statement<'q> + Send + Sync) -> Result<Vec<PgRow>> {
        self.database
            .bounded(|| async {
                let mut connection = self.database.connection().await?;
                let rows = statement().fetch_all(&mut *connection).await.map_err(failed)?;
                connection.finish().await?;
                Ok(rows)
            })
            .await
    }

    /// A transaction that keeps all other writers away.
    async fn lock_all(&self) -> Result<Transaction<sqlx::Postgres>> {
        let mut transaction = self.database.begin().await?;
        let lock = self.database.sql(include_str!("../sql/postgres/lock_all.sql"));
        sqlx::query(lock).execute(&mut *transaction).await.map_err(failed)?;
        Ok(transaction)
    }

    async fn attempt(&self, page: &Page<'_>) -> Result<Committed> {
        self.database
            .bounded(|| async {
                let mut tables = PostgresTables::begin(&self.database, &self.provider).await?;
                let committed = write::commit(&mut tables, page, &self.provider).await?;
                tables.commit().await?;
                Ok(committed)
            })
            .await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        let page = Page::new(commit)?;
        for _ in 1..ATTEMPTS {
            match self.attempt(&page).await {
                Err(error) if is_taken(&error) => {}
                Err(error) if has_no_partition(&error) => self.make_room(&page.years()).await?,
                result => return result,
            }
        }
        self.attempt(&page).await
    }

    async fn suspect(&self, series: &Series, range: TimeRange) -> Result<()> {
        self.database
            .bounded(|| async {
                let mut tables = PostgresTables::begin(&self.database, &self.provider).await?;
                write::suspect(&mut tables, series, range).await?;
                tables.commit().await
            })
            .await
    }

    async fn coverage(&self, series: &[Series], within: TimeRange) -> Result<Vec<Vec<Span>>> {
        let Some(within) = whole_seconds(within) else { return Ok(vec![Vec::new(); series.len()]) };
        let statement = || self.statement(include_str!("../sql/postgres/coverage.sql"));
        let statement = || Names::of(series).bind(statement()).bind(within.start()).bind(within.end());
        row::by_question(series.len(), &self.fetch(statement).await?, row::span)
    }

    async fn bars(&self, series: &Series, range: TimeRange, limit: usize) -> Result<Vec<Bar>> {
        let Some(range) = whole_seconds(range) else { return Ok(Vec::new()) };
        let statement = || {
            self.statement(include_str!("../sql/postgres/bars.sql"))
                .bind(series.symbol.as_str())
                .bind(series.timeframe.as_str())
                .bind(series.feed.as_str())
                .bind(series.adjustment.to_string())
                .bind(range.start())
                .bind(range.end())
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        };
        self.fetch(statement).await?.iter().map(|row| row::bar(row, 0)).collect()
    }

    async fn latest(&self, series: &[Series]) -> Result<Vec<Option<Bar>>> {
        let statement = || Names::of(series).bind(self.statement(include_str!("../sql/postgres/latest.sql")));
        row::one_by_question(series.len(), &self.fetch(statement).await?, row::bar)
    }

    async fn summaries(&self, series: &[Series]) -> Result<Vec<Summary>> {
        let statement = || Names::of(series).bind(self.statement(include_str!("../sql/postgres/summaries.sql")));
        let summaries = row::one_by_question(series.len(), &self.fetch(statement).await?, row::summary)?;
        Ok(summaries.into_iter().map(Option::unwrap_or_default).collect())
    }

    async fn series(&self) -> Result<Vec<Series>> {
        let statement = || self.statement(include_str!("../sql/postgres/series.sql"));
        let mut series = self.fetch(statement).await?.iter().map(row::series).collect::<Result<Vec<_>>>()?;
        series.sort();
        Ok(series)
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        let mut connection = self.database.connection().await?;
        // Not bounded: every bar is read, and how many there are nobody can say.
        let statement = self.statement(include_str!("../sql/postgres/check.sql"));
        let rows = statement.fetch_all(&mut *connection).await.map_err(failed)?;
        connection.finish().await?;
        rows.iter().map(row::finding).collect()
    }

    fn traces(&self) -> Option<&dyn Traces> {
        Some(self)
    }
}

/// Whether a bar was there already although none was found under the locks: somebody who takes none inserted it.
fn is_taken(error: &Error) -> bool {
    refusal(error).is_some_and(DatabaseError::is_unique_violation)
}

/// Whether a bar starts in a year that has no partition: the only check that has no name.
fn has_no_partition(error: &Error) -> bool {
    refusal(error).is_some_and(|refusal| refusal.is_check_violation() && refusal.constraint().is_none())
}

fn refusal(error: &Error) -> Option<&(dyn DatabaseError + 'static)> {
    let Error::Database(barkeep_database::Error::Refused(source)) = error else { return None };
    source.downcast_ref::<sqlx::Error>()?.as_database_error()
}

#[cfg(test)]
mod tests;
