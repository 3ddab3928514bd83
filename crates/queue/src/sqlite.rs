use async_trait::async_trait;
use barkeep_database::{Migrations, Sqlite, Step, Transaction};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::rows::{self, ClaimRow, DoneRow, JobRow, KeyRow, SettleRow, SettledRow};
use crate::statements::{AddedColumns, LockRow, Statements};
use crate::{DatabaseQueue, FinishedJob, Lease, LiveJob, Result};

/// A queue in a SQLite file.
pub type SqliteQueue = DatabaseQueue<Sqlite>;

const MIGRATIONS: Migrations = Migrations {
    component: "queue",
    steps: &[Step { version: 1, sql: include_str!("../migrations/sqlite/0001_jobs.sql") }],
};

impl DatabaseQueue<Sqlite> {
    /// The queue in this database; its tables are made or brought up to date first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if that cannot be done.
    pub async fn open(database: Sqlite) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database))
    }
}

#[async_trait]
impl Statements for Sqlite {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>> {
        self.bounded(async {
            let mut connection = self.connection().await?;
            let now = now(moved_us).fetch_one(&mut *connection).await.map_err(failed)?;
            connection.finish();
            Ok(instant(now.0))
        })
        .await
    }

    async fn enqueue(&self, moved_us: i64, jobs: &[JobRow<'_>]) -> Result<Vec<AddedColumns>> {
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let added = all(&mut transaction, enqueue(now, jobs)).await?;
            transaction.commit().await?;
            Ok(added)
        })
        .await
    }

    async fn claim(&self, moved_us: i64, claim: &ClaimRow<'_>) -> Result<Vec<Lease>> {
        let leased = self
            .bounded(async {
                let (mut transaction, now) = begin(self, moved_us).await?;
                let statement = query_as(include_str!("../sql/sqlite/claim.sql"))
                    .bind(now)
                    .bind(claim.kind)
                    .bind(claim.limit)
                    .bind(claim.lease_us)
                    .bind(claim.token.to_string())
                    .bind(claim.worker);
                let leased = all(&mut transaction, statement).await?;
                transaction.commit().await?;
                Ok::<_, crate::Error>(leased)
            })
            .await?;
        Ok(leased.into_iter().map(|row| rows::lease(row, claim.token, instant)).collect())
    }

    async fn extend(&self, moved_us: i64, keys: &[KeyRow], lease_us: i64) -> Result<Vec<(KeyRow, bool)>> {
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let statement =
                query_as(include_str!("../sql/sqlite/extend.sql")).bind(now).bind(json(keys)).bind(lease_us);
            let held: Vec<(i64, String, bool)> = all(&mut transaction, statement).await?;
            transaction.commit().await?;
            Ok(held.into_iter().map(|(id, token, cancel)| (key((id, token)), cancel)).collect())
        })
        .await
    }

    async fn complete(&self, moved_us: i64, done: &[DoneRow], rest: &[JobRow<'_>]) -> Result<Vec<KeyRow>> {
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let statement = query_as(include_str!("../sql/sqlite/complete.sql")).bind(now).bind(json(done));
            let ended: Vec<KeyRow> = all(&mut transaction, statement).await?.into_iter().map(key).collect();
            let rest = rows::rest_of(&ended, rest);
            all(&mut transaction, enqueue(now, &rest)).await?;
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    async fn settle(&self, moved_us: i64, tries: &[SettleRow]) -> Result<Vec<SettledRow>> {
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let statement =
                query_as(include_str!("../sql/sqlite/settle.sql")).bind(now).bind(json(tries)).bind(rows::MAX_CRASHES);
            let settled = all(&mut transaction, statement).await?;
            transaction.commit().await?;
            Ok(settled.into_iter().map(|row| rows::settled(row, token)).collect())
        })
        .await
    }

    async fn expired(&self, moved_us: i64, limit: i32) -> Result<Vec<KeyRow>> {
        let expired =
            read(self, moved_us, |now| query_as(include_str!("../sql/sqlite/expired.sql")).bind(now).bind(limit))
                .await?;
        Ok(expired.into_iter().map(key).collect())
    }

    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>> {
        let live =
            read(self, moved_us, |now| query_as(include_str!("../sql/sqlite/live.sql")).bind(now).bind(kind)).await?;
        Ok(live.into_iter().map(rows::live).collect())
    }

    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>> {
        read(self, moved_us, |now| query_as(include_str!("../sql/sqlite/counts.sql")).bind(now)).await
    }

    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>> {
        let finished =
            read(self, 0, |_| query_as(include_str!("../sql/sqlite/failed.sql")).bind(kind).bind(limit)).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>> {
        let finished = read(self, 0, |_| query_as(include_str!("../sql/sqlite/finished.sql")).bind(json(ids))).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<Option<DateTime<Utc>>> {
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let statement = query_as(include_str!("../sql/sqlite/lock.sql"))
                .bind(now)
                .bind(lock.name)
                .bind(lock.lease_us)
                .bind(lock.token.to_string())
                .bind(lock.holder);
            let until: Vec<(i64,)> = all(&mut transaction, statement).await?;
            transaction.commit().await?;
            Ok(until.first().map(|until| instant(until.0)))
        })
        .await
    }

    async fn extend_lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<bool> {
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let statement = query(include_str!("../sql/sqlite/extend_lock.sql"))
                .bind(now)
                .bind(lock.name)
                .bind(lock.token.to_string())
                .bind(lock.lease_us);
            let changed = changes(&mut transaction, statement).await?;
            transaction.commit().await?;
            Ok(changed > 0)
        })
        .await
    }

    async fn unlock(&self, lock: &LockRow<'_>) -> Result<bool> {
        self.bounded(async {
            let mut transaction = self.begin().await?;
            let statement =
                query(include_str!("../sql/sqlite/unlock.sql")).bind(lock.name).bind(lock.token.to_string());
            let changed = changes(&mut transaction, statement).await?;
            transaction.commit().await?;
            Ok(changed > 0)
        })
        .await
    }
}

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
            connection.finish();
            Ok(rows)
        })
        .await
}

fn now<'q>(moved_us: i64) -> Answering<'q, (i64,)> {
    query_as(include_str!("../sql/sqlite/now.sql")).bind(moved_us)
}

fn enqueue<'q>(now: i64, jobs: &[JobRow<'_>]) -> Answering<'q, AddedColumns> {
    query_as(include_str!("../sql/sqlite/enqueue.sql")).bind(now).bind(json(jobs))
}

async fn all<T>(transaction: &mut Transaction<sqlx::Sqlite>, statement: Answering<'_, T>) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    statement.fetch_all(&mut **transaction).await.map_err(failed)
}

async fn changes(
    transaction: &mut Transaction<sqlx::Sqlite>,
    statement: Query<'_, sqlx::Sqlite, SqliteArguments>,
) -> Result<u64> {
    Ok(statement.execute(&mut **transaction).await.map_err(failed)?.rows_affected())
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
