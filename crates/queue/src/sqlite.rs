mod budgets;
mod control;
mod inspect;
mod jobs;
mod locks;
mod watch;
mod workers;

use barkeep_database::{Migrations, Sqlite, Step, Transaction};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, query_as};
use uuid::Uuid;

use crate::rows::KeyRow;
use crate::{DatabaseQueue, Result};

/// A queue in a SQLite file.
pub type SqliteQueue = DatabaseQueue<Sqlite>;

const MIGRATIONS: Migrations = Migrations {
    component: "queue",
    steps: &[
        Step { version: 1, sql: include_str!("../migrations/sqlite/0001_jobs.sql") },
        Step { version: 2, sql: include_str!("../migrations/sqlite/0002_watch.sql") },
        Step { version: 3, sql: include_str!("../migrations/sqlite/0003_spent.sql") },
        Step { version: 4, sql: include_str!("../migrations/sqlite/0004_endings.sql") },
        Step { version: 5, sql: include_str!("../migrations/sqlite/0005_turns.sql") },
        Step { version: 6, sql: include_str!("../migrations/sqlite/0006_places.sql") },
        Step { version: 7, sql: include_str!("../migrations/sqlite/0007_lookups.sql") },
        Step { version: 8, sql: include_str!("../migrations/sqlite/0008_waits.sql") },
        Step { version: 9, sql: include_str!("../migrations/sqlite/0009_claims.sql") },
        Step { version: 10, sql: include_str!("../migrations/sqlite/0010_adds.sql") },
        Step { version: 11, sql: include_str!("../migrations/sqlite/0011_rules.sql") },
        Step { version: 12, sql: include_str!("../migrations/sqlite/0012_any_rules.sql") },
        Step { version: 13, sql: include_str!("../migrations/sqlite/0013_counters.sql") },
    ],
};

impl DatabaseQueue<Sqlite> {
    /// The queue in this database; its tables are made or brought up to date first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if that cannot be done.
    pub async fn open(database: &Sqlite) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database.clone()))
    }
}

/// A statement that answers rows.
type Answering<'q, T> = QueryAs<'q, sqlx::Sqlite, T, SqliteArguments>;

/// A writing transaction, and the instant of all that it does.
async fn begin(database: &Sqlite, moved_us: i64) -> Result<(Transaction<sqlx::Sqlite>, i64)> {
    let mut transaction = database.begin().await?;
    let (now,) = now(moved_us).fetch_one(&mut *transaction).await.map_err(failed)?;
    Ok((transaction, now))
}

/// Runs one reading statement, which is given the time.
async fn read<'q, T>(
    database: &Sqlite,
    moved_us: i64,
    statement: impl FnOnce(i64) -> Answering<'q, T> + Send,
) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
{
    database
        .bounded(async {
            let mut connection = database.connection().await?;
            let (now,) = now(moved_us).fetch_one(&mut *connection).await.map_err(failed)?;
            let rows = statement(now).fetch_all(&mut *connection).await.map_err(failed)?;
            connection.finish().await?;
            Ok(rows)
        })
        .await
}

fn now<'q>(moved_us: i64) -> Answering<'q, (i64,)> {
    query_as(include_str!("../sql/sqlite/now.sql")).bind(moved_us)
}

async fn all<T>(transaction: &mut Transaction<sqlx::Sqlite>, statement: Answering<'_, T>) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    statement.fetch_all(&mut **transaction).await.map_err(failed)
}

/// Runs one writing script as its own transaction, and answers its rows.
async fn write_all<'q, T>(
    database: &Sqlite,
    moved_us: i64,
    statement: impl FnOnce(i64) -> Answering<'q, T> + Send,
) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
{
    database
        .bounded(async {
            let (mut transaction, now) = begin(database, moved_us).await?;
            let rows = all(&mut transaction, statement(now)).await?;
            transaction.commit().await?;
            Ok(rows)
        })
        .await
}

/// Runs one writing statement as its own transaction, and answers how many rows it changed.
async fn write<'q>(
    database: &Sqlite,
    moved_us: i64,
    statement: impl FnOnce(i64) -> Query<'q, sqlx::Sqlite, SqliteArguments> + Send,
) -> Result<u64> {
    database
        .bounded(async {
            let (mut transaction, now) = begin(database, moved_us).await?;
            let done = statement(now).execute(&mut *transaction).await.map_err(failed)?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        })
        .await
}

/// Rows as the one value that SQLite can be given many of.
fn json(rows: &[impl Serialize]) -> String {
    serde_json::to_string(rows).expect("rows of texts and numbers can be written as JSON")
}

fn key((id, text): (i64, String)) -> KeyRow {
    KeyRow { id, token: token(text) }
}

/// A stored token. One that somebody has edited by hand proves nothing, and nil is never drawn.
fn token(text: String) -> Uuid {
    text.parse().unwrap_or(Uuid::nil())
}

fn instant(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn failed(error: sqlx::Error) -> crate::Error {
    barkeep_database::Error::from(error).into()
}
