mod copy;
mod history;
mod insert;
mod page;
mod read;
mod room;
mod traces;
mod upkeep;

use async_trait::async_trait;
use barkeep_database::{Held, Migrations, Postgres, Step};
use barkeep_types::Series;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;

use crate::columns::Instants;
use crate::error::failed;
use crate::statements::{Answers, Session, Statements};
use crate::{DatabaseStore, Error, ProviderName, Result};

/// Bars in a PostgreSQL database.
pub type PostgresStore = DatabaseStore<Postgres>;

const MIGRATIONS: Migrations = Migrations {
    component: "store",
    steps: &[
        Step { version: 1, sql: include_str!("../migrations/postgres/0001_bars.sql") },
        Step { version: 2, sql: include_str!("../migrations/postgres/0002_views.sql") },
        Step { version: 3, sql: include_str!("../migrations/postgres/0003_rewrites.sql") },
    ],
};

impl DatabaseStore<Postgres> {
    /// The store of `provider`'s bars in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`]: the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Postgres, provider: ProviderName) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        if room::is_lacking(database).await? {
            room::make(database, &[]).await?;
        }
        Ok(Self::new(database.clone(), provider))
    }
}

type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Statements that run over one connection.
#[derive(Debug)]
pub struct PostgresSession {
    database: Postgres,
    held: Held<sqlx::Postgres>,
}

impl PostgresSession {
    fn statement(&self, sql: &'static str) -> Statement<'static> {
        sqlx::query(self.database.sql(sql))
    }

    /// A statement whose first argument is the provider.
    fn statement_of<'q>(&self, provider: &'q ProviderName, sql: &'static str) -> Statement<'q> {
        self.statement(sql).bind(provider.as_str())
    }

    async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>> {
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }

    async fn row(&mut self, statement: Statement<'_>) -> Result<PgRow> {
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    /// Tells how many rows were changed.
    async fn run(&mut self, statement: Statement<'_>) -> Result<u64> {
        Ok(statement.execute(&mut *self.held).await.map_err(failed)?.rows_affected())
    }
}

#[async_trait]
impl Statements for Postgres {
    type Session = PostgresSession;

    async fn look(&self) -> Result<PostgresSession> {
        Ok(PostgresSession { database: self.clone(), held: Held::Reading(self.connection().await?) })
    }

    async fn begin(&self) -> Result<PostgresSession> {
        let transaction = self.begin_with(include_str!("../sql/postgres/reuse_plans.sql")).await?;
        Ok(PostgresSession { database: self.clone(), held: Held::Writing(transaction) })
    }

    async fn begin_alone(&self) -> Result<PostgresSession> {
        let mut session = PostgresSession { database: self.clone(), held: Held::Writing(self.begin().await?) };
        session.run(session.statement(include_str!("../sql/postgres/lock_all.sql"))).await?;
        Ok(session)
    }

    async fn bounded<T, F>(&self, verb: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        self.bounded(verb).await
    }

    async fn make_way(&self, failed: Error, years: &[i32]) -> Result<()> {
        if room::was_lacking(&failed) {
            return room::make(self, years).await;
        }
        if page::was_taken(&failed) { Ok(()) } else { Err(failed) }
    }
}

impl Answers for PostgresSession {
    type Row = PgRow;
}

#[async_trait]
impl Session for PostgresSession {
    async fn finish(self) -> Result<()> {
        Ok(self.held.finish().await?)
    }
}

impl Instants for sqlx::Postgres {
    type Stored = DateTime<Utc>;

    fn instant(stored: DateTime<Utc>) -> Result<DateTime<Utc>> {
        Ok(stored)
    }
}

/// Series as the four arrays that the statements read.
struct Names<'s> {
    symbols: Vec<&'s str>,
    timeframes: Vec<&'s str>,
    feeds: Vec<&'s str>,
    adjustments: Vec<String>,
}

impl<'s> Names<'s> {
    fn of(series: impl IntoIterator<Item = &'s Series>) -> Self {
        let mut names = Self { symbols: vec![], timeframes: vec![], feeds: vec![], adjustments: vec![] };
        for series in series {
            names.symbols.push(series.symbol.as_str());
            names.timeframes.push(series.timeframe.as_str());
            names.feeds.push(series.feed.as_str());
            names.adjustments.push(series.adjustment.to_string());
        }
        names
    }

    fn bind(self, statement: Statement<'_>) -> Statement<'_> {
        statement.bind(self.symbols).bind(self.timeframes).bind(self.feeds).bind(self.adjustments)
    }
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

#[cfg(test)]
mod tests;
