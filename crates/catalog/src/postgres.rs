mod definitions;
mod rejections;
mod settings;

use async_trait::async_trait;
use barkeep_database::{Held, Migrations, Postgres, Step};

use crate::statements::{Session, Statements};
use crate::{DatabaseCatalog, Result};

/// Definitions in a PostgreSQL database.
pub type PostgresCatalog = DatabaseCatalog<Postgres>;

const MIGRATIONS: Migrations = Migrations {
    component: "catalog",
    steps: &[Step { version: 1, sql: include_str!("../migrations/postgres/0001_definitions.sql") }],
};

impl DatabaseCatalog<Postgres> {
    /// The catalog in `database`; makes its tables if they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database): the tables cannot be made, or were made by a newer version.
    pub async fn open(database: &Postgres) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database.clone()))
    }
}

/// Statements that run over one connection.
#[derive(Debug)]
pub struct PostgresSession {
    database: Postgres,
    held: Held<sqlx::Postgres>,
}

#[async_trait]
impl Statements for Postgres {
    type Session = PostgresSession;

    async fn look(&self) -> Result<PostgresSession> {
        Ok(PostgresSession { database: self.clone(), held: Held::Reading(self.connection().await?) })
    }

    async fn begin(&self) -> Result<PostgresSession> {
        Ok(PostgresSession { database: self.clone(), held: Held::Writing(self.begin().await?) })
    }

    async fn bounded<T, F>(&self, verb: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        self.bounded(verb).await
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn finish(self) -> Result<()> {
        Ok(self.held.finish().await?)
    }

    async fn undo(self) -> Result<()> {
        Ok(self.held.undo().await?)
    }
}

#[cfg(test)]
mod tests {
    use barkeep_test_postgres::TestDatabase;

    use super::*;

    crate::catalog_conformance!({
        let server = TestDatabase::create().await;
        let database = Postgres::connect(server.url()).await.unwrap();
        (PostgresCatalog::open(&database).await.unwrap(), server)
    });

    #[tokio::test]
    async fn definitions_come_in_one_order_whatever_the_database_sorts_by() {
        use crate::{Catalog, Narrowing, presets};
        use sqlx::Connection;

        let server = TestDatabase::create().await;
        let catalog = PostgresCatalog::open(&Postgres::connect(server.url()).await.unwrap()).await.unwrap();
        let mut connection = sqlx::PgConnection::connect(server.url()).await.unwrap();
        let sort_as_people_do = "ALTER TABLE barkeep.catalog_definition ALTER name TYPE text COLLATE \"und-x-icu\"";
        sqlx::query(sort_as_people_do).execute(&mut connection).await.unwrap();
        for name in ["a", "B", "c"] {
            let definition = crate::Definition { name: name.to_owned(), ..presets::tech20() };
            catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
        }
        let names: Vec<String> = catalog.list().await.unwrap().into_iter().map(|definition| definition.name).collect();
        assert_eq!(names, ["B", "a", "c"]);
    }
}
