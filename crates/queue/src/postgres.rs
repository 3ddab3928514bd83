mod budgets;
mod control;
mod inspect;
mod jobs;
mod listening;
mod locks;
mod watch;
mod workers;

use barkeep_database::{Migrations, Postgres, Step};
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::{Query, QueryAs};
use uuid::Uuid;

pub use listening::Listening;

use crate::database_queue::Batch;
use crate::rows::KeyRow;
use crate::{DatabaseQueue, JobId, NewJob, Result};

/// A queue in PostgreSQL 14 or later.
pub type PostgresQueue = DatabaseQueue<Postgres>;

const MIGRATIONS: Migrations = Migrations {
    component: "queue",
    steps: &[
        Step { version: 1, sql: include_str!("../migrations/postgres/0001_jobs.sql") },
        Step { version: 2, sql: include_str!("../migrations/postgres/0002_watch.sql") },
        Step { version: 3, sql: include_str!("../migrations/postgres/0003_spent.sql") },
        Step { version: 4, sql: include_str!("../migrations/postgres/0004_endings.sql") },
        Step { version: 5, sql: include_str!("../migrations/postgres/0005_turns.sql") },
        Step { version: 6, sql: include_str!("../migrations/postgres/0006_places.sql") },
        Step { version: 7, sql: include_str!("../migrations/postgres/0007_lookups.sql") },
        Step { version: 8, sql: include_str!("../migrations/postgres/0008_waits.sql") },
        Step { version: 9, sql: include_str!("../migrations/postgres/0009_claims.sql") },
        Step { version: 10, sql: include_str!("../migrations/postgres/0010_adds.sql") },
        Step { version: 11, sql: include_str!("../migrations/postgres/0011_rules.sql") },
        Step { version: 12, sql: include_str!("../migrations/postgres/0012_any_rules.sql") },
        Step { version: 13, sql: include_str!("../migrations/postgres/0013_counters.sql") },
    ],
};

impl DatabaseQueue<Postgres> {
    /// The queue in this database; its tables are made or brought up to date first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if that cannot be done.
    pub async fn open(database: &Postgres) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database.clone()))
    }

    /// Adds jobs as part of a transaction of yours, in the same database: they come into being with its commit, or not at
    /// all. Otherwise as [`enqueue`](crate::Queue::enqueue).
    ///
    /// Other callers who add a job of the same kind and key wait until the transaction ends: keep it short.
    ///
    /// # Errors
    ///
    /// As for [`enqueue`](crate::Queue::enqueue). After one of the database the transaction can only be rolled back.
    pub async fn enqueue_in(&self, connection: &mut PgConnection, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
        let batch = Batch::checked(jobs)?;
        let statement = jobs::enqueue(&self.database, self.clock.moved_us(), &batch.rows);
        let added = statement.fetch_one(connection).await.map_err(failed)?;
        Ok(batch.ids(&jobs::ids_of(&batch.rows, added)))
    }
}

/// A statement that answers rows.
type Answering<'q, T> = QueryAs<'q, sqlx::Postgres, T, PgArguments>;

/// Runs one statement, which is its own transaction.
async fn all<'q, T>(database: &Postgres, statement: impl Fn() -> Answering<'q, T> + Send + Sync) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'q,
{
    database
        .bounded(|| async {
            let mut connection = database.connection().await?;
            let rows = statement().fetch_all(&mut *connection).await.map_err(failed)?;
            connection.finish().await?;
            Ok(rows)
        })
        .await
}

async fn one<'q, T>(database: &Postgres, statement: impl Fn() -> Answering<'q, T> + Send + Sync) -> Result<T>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'q,
{
    let row = all(database, statement).await?.into_iter().next();
    row.ok_or_else(|| failed(sqlx::Error::RowNotFound))
}

async fn changes<'q>(
    database: &Postgres,
    statement: impl Fn() -> Query<'q, sqlx::Postgres, PgArguments> + Send + Sync,
) -> Result<u64> {
    database
        .bounded(|| async {
            let mut connection = database.connection().await?;
            let done = statement().execute(&mut *connection).await.map_err(failed)?;
            connection.finish().await?;
            Ok(done.rows_affected())
        })
        .await
}

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn key((id, token): (i64, Uuid)) -> KeyRow {
    KeyRow { id, token }
}

fn instant(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant
}

fn failed(error: sqlx::Error) -> crate::Error {
    barkeep_database::Error::from(error).into()
}
