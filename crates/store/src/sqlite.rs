mod history;
mod insert;
mod page;
mod read;
mod traces;
mod upkeep;

use async_trait::async_trait;
use barkeep_database::{Held, Migrations, Sqlite, Step};
use barkeep_types::Series;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use crate::columns::Instants;
use crate::error::failed;
use crate::statements::{Answers, Session, Statements};
use crate::{DatabaseStore, Error, ProviderName, Result};

/// Bars in a SQLite file.
pub type SqliteStore = DatabaseStore<Sqlite>;

const MIGRATIONS: Migrations = Migrations {
    component: "store",
    steps: &[
        Step { version: 1, sql: include_str!("../migrations/sqlite/0001_bars.sql") },
        Step { version: 2, sql: include_str!("../migrations/sqlite/0002_views.sql") },
        Step { version: 3, sql: include_str!("../migrations/sqlite/0003_rewrites.sql") },
    ],
};

impl DatabaseStore<Sqlite> {
    /// The store of `provider`'s bars in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`]: the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Sqlite, provider: ProviderName) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database.clone(), provider))
    }
}

type Statement<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

fn statement<'q>(sql: &'static str) -> Statement<'q> {
    sqlx::query(sql)
}

/// A statement whose first argument is the provider.
fn statement_of<'q>(provider: &'q ProviderName, sql: &'static str) -> Statement<'q> {
    statement(sql).bind(provider.as_str())
}

/// Statements that run over one connection.
#[derive(Debug)]
pub struct SqliteSession {
    held: Held<sqlx::Sqlite>,
}

impl SqliteSession {
    /// Rows of bars, too, are all read before the first is looked at: SQLite works in a thread of its own, and the two would
    /// wait for each other at every row, which takes twice as long.
    async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>> {
        statement.fetch_all(&mut *self.held).await.map_err(failed)
    }

    async fn row(&mut self, statement: Statement<'_>) -> Result<SqliteRow> {
        statement.fetch_one(&mut *self.held).await.map_err(failed)
    }

    /// Tells how many rows were changed.
    async fn run(&mut self, statement: Statement<'_>) -> Result<u64> {
        Ok(statement.execute(&mut *self.held).await.map_err(failed)?.rows_affected())
    }
}

#[async_trait]
impl Statements for Sqlite {
    type Session = SqliteSession;

    async fn look(&self) -> Result<SqliteSession> {
        Ok(SqliteSession { held: Held::Reading(self.connection().await?) })
    }

    async fn begin(&self) -> Result<SqliteSession> {
        Ok(SqliteSession { held: Held::Writing(self.begin().await?) })
    }

    /// Whoever writes, writes alone.
    async fn begin_alone(&self) -> Result<SqliteSession> {
        Statements::begin(self).await
    }

    async fn bounded<T, F>(&self, verb: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        self.bounded(verb()).await
    }

    /// Nobody gets in between, and there is room for every year.
    async fn make_way(&self, failed: Error, _years: &[i32]) -> Result<()> {
        Err(failed)
    }
}

impl Answers for SqliteSession {
    type Row = SqliteRow;
}

#[async_trait]
impl Session for SqliteSession {
    async fn finish(self) -> Result<()> {
        Ok(self.held.finish().await?)
    }
}

/// Instants are whole seconds since 1970.
impl Instants for sqlx::Sqlite {
    type Stored = i64;

    fn instant(seconds: i64) -> Result<DateTime<Utc>> {
        DateTime::from_timestamp(seconds, 0).ok_or_else(|| Error::corrupt(format!("the instant {seconds}")))
    }
}

/// Series as the JSON that the statements read.
fn names<'s>(series: impl IntoIterator<Item = &'s Series>) -> String {
    let name = |series: &'s Series| json!([series.symbol.as_str(), series.timeframe, series.feed, series.adjustment]);
    Value::Array(series.into_iter().map(name).collect()).to_string()
}

#[cfg(test)]
mod tests;
