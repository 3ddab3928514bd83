mod definitions;
mod rejections;
mod settings;

use async_trait::async_trait;
use barkeep_database::{Held, Migrations, Sqlite, Step};
use chrono::{DateTime, Utc};

use crate::statements::{Session, Statements};
use crate::{DatabaseCatalog, Error, Result};

/// Definitions in a SQLite file.
pub type SqliteCatalog = DatabaseCatalog<Sqlite>;

const MIGRATIONS: Migrations = Migrations {
    component: "catalog",
    steps: &[Step { version: 1, sql: include_str!("../migrations/sqlite/0001_definitions.sql") }],
};

impl DatabaseCatalog<Sqlite> {
    /// The catalog in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database): the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Sqlite) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database.clone()))
    }
}

/// Statements that run over one connection.
#[derive(Debug)]
pub struct SqliteSession {
    held: Held<sqlx::Sqlite>,
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

    async fn bounded<T, F>(&self, verb: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        self.bounded(verb()).await
    }
}

#[async_trait]
impl Session for SqliteSession {
    async fn finish(self) -> Result<()> {
        Ok(self.held.finish().await?)
    }

    async fn undo(self) -> Result<()> {
        Ok(self.held.undo().await?)
    }
}

fn instant(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| Error::corrupt(format!("the instant {seconds}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::catalog_conformance!({
        let folder = tempfile::tempdir().unwrap();
        let database = Sqlite::open(folder.path().join("catalog.db")).await.unwrap();
        (SqliteCatalog::open(&database).await.unwrap(), folder)
    });
}
