use async_trait::async_trait;
use barkeep_database::{Migrations, Sqlite, Step, Transaction};
use chrono::{DateTime, Utc};

use crate::error::failed;
use crate::json::{self, ChangeRow};
use crate::write::{self, Entry, Tables};
use crate::{Catalog, Change, ChangeKind, Definition, Error, Narrowing, Pattern, Result, Upserted};

mod rejections;
mod settings;

const MIGRATIONS: Migrations = Migrations {
    component: "catalog",
    steps: &[Step { version: 1, sql: include_str!("../migrations/sqlite/0001_definitions.sql") }],
};

/// Definitions in a SQLite file. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct SqliteCatalog {
    database: Sqlite,
}

impl SqliteCatalog {
    /// The catalog in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`]: the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Sqlite) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self { database: database.clone() })
    }

    async fn begin(&self) -> Result<SqliteTables> {
        Ok(SqliteTables { transaction: self.database.begin().await? })
    }
}

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn upsert(&self, definition: &Definition, narrowing: Narrowing) -> Result<Upserted> {
        definition.check()?;
        self.database
            .bounded(async {
                let mut tables = self.begin().await?;
                let upserted = write::upsert(&mut tables, definition, narrowing).await;
                tables.end(upserted, |upserted| *upserted != Upserted::Unchanged).await
            })
            .await
    }

    async fn get(&self, name: &str) -> Result<Option<Definition>> {
        self.database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let json: Option<String> = sqlx::query_scalar(include_str!("../sql/sqlite/get.sql"))
                    .bind(name)
                    .fetch_optional(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                json.as_deref().map(json::read).transpose()
            })
            .await
    }

    async fn list(&self) -> Result<Vec<Definition>> {
        self.database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let all: Vec<String> = sqlx::query_scalar(include_str!("../sql/sqlite/list.sql"))
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                all.iter().map(|json| json::read(json)).collect()
            })
            .await
    }

    async fn enable(&self, names: &Pattern) -> Result<Vec<String>> {
        self.switch(names, ChangeKind::Enabled).await
    }

    async fn disable(&self, names: &Pattern) -> Result<Vec<String>> {
        self.switch(names, ChangeKind::Disabled).await
    }

    async fn remove(&self, names: &Pattern) -> Result<Vec<String>> {
        self.database
            .bounded(async {
                let mut tables = self.begin().await?;
                let removed = write::remove(&mut tables, names).await;
                tables.end(removed, |removed| !removed.is_empty()).await
            })
            .await
    }

    async fn changes(&self, limit: usize) -> Result<Vec<Change>> {
        type Row = (i64, String, String, Option<String>, Option<String>);
        let rows: Vec<Row> = self
            .database
            .bounded(async {
                let mut connection = self.database.connection().await?;
                let rows = sqlx::query_as(include_str!("../sql/sqlite/changes.sql"))
                    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(failed)?;
                connection.finish().await?;
                Ok::<_, Error>(rows)
            })
            .await?;
        let change =
            |(at, name, kind, before, after): Row| ChangeRow { at: instant(at)?, name, kind, before, after }.change();
        rows.into_iter().map(change).collect()
    }
}

impl SqliteCatalog {
    async fn switch(&self, names: &Pattern, kind: ChangeKind) -> Result<Vec<String>> {
        self.database
            .bounded(async {
                let mut tables = self.begin().await?;
                let switched = write::switch(&mut tables, names, kind).await;
                tables.end(switched, |switched| !switched.is_empty()).await
            })
            .await
    }
}

fn instant(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| Error::corrupt(format!("the instant {seconds}")))
}

struct SqliteTables {
    transaction: Transaction<sqlx::Sqlite>,
}

impl SqliteTables {
    /// Keeps what was done, if it came to anything.
    async fn end<T>(self, done: Result<T>, has_changed: impl FnOnce(&T) -> bool) -> Result<T> {
        match done {
            Ok(done) if has_changed(&done) => {
                self.transaction.commit().await?;
                Ok(done)
            }
            done => {
                self.transaction.rollback().await?;
                done
            }
        }
    }
}

#[async_trait]
impl Tables for SqliteTables {
    async fn revise(&mut self) -> Result<i64> {
        let statement = sqlx::query_scalar(include_str!("../sql/sqlite/revise.sql"));
        statement.fetch_one(&mut *self.transaction).await.map_err(failed)
    }

    async fn get(&mut self, name: &str) -> Result<Option<Definition>> {
        let statement = sqlx::query_scalar(include_str!("../sql/sqlite/get.sql")).bind(name);
        let json: Option<String> = statement.fetch_optional(&mut *self.transaction).await.map_err(failed)?;
        json.as_deref().map(json::read).transpose()
    }

    async fn list(&mut self) -> Result<Vec<Definition>> {
        let statement = sqlx::query_scalar(include_str!("../sql/sqlite/list.sql"));
        let all: Vec<String> = statement.fetch_all(&mut *self.transaction).await.map_err(failed)?;
        all.iter().map(|json| json::read(json)).collect()
    }

    async fn put(&mut self, definition: &Definition) -> Result<()> {
        sqlx::query(include_str!("../sql/sqlite/put.sql"))
            .bind(&definition.name)
            .bind(definition.enabled)
            .bind(definition.priority)
            .bind(json::written(definition)?)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn delete(&mut self, name: &str) -> Result<()> {
        sqlx::query(include_str!("../sql/sqlite/delete.sql"))
            .bind(name)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn log(&mut self, entry: Entry<'_>) -> Result<()> {
        sqlx::query(include_str!("../sql/sqlite/log.sql"))
            .bind(entry.revision)
            .bind(entry.name)
            .bind(entry.kind.as_str())
            .bind(entry.before.map(json::written).transpose()?)
            .bind(entry.after.map(json::written).transpose()?)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }
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
