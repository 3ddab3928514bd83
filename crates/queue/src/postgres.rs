use async_trait::async_trait;
use barkeep_database::{Migrations, Postgres, Step};
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::rows::{self, ClaimRow, DoneRow, JobRow, KeyRow, SettleRow, SettledRow};
use crate::statements::{AddedColumns, LockRow, Statements};
use crate::{DatabaseQueue, FinishedJob, Lease, LiveJob, Result};

/// A queue in PostgreSQL 14 or later.
pub type PostgresQueue = DatabaseQueue<Postgres>;

const MIGRATIONS: Migrations = Migrations {
    component: "queue",
    steps: &[Step { version: 1, sql: include_str!("../migrations/postgres/0001_jobs.sql") }],
};

impl DatabaseQueue<Postgres> {
    /// The queue in this database; its tables are made or brought up to date first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if that cannot be done.
    pub async fn open(database: Postgres) -> Result<Self> {
        database.migrate(&MIGRATIONS).await?;
        Ok(Self::new(database))
    }
}

#[async_trait]
impl Statements for Postgres {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/now.sql"))).bind(moved_us);
        let (now,) = self.bounded(one(self, statement)).await?;
        Ok(now)
    }

    async fn enqueue(&self, moved_us: i64, jobs: &[JobRow<'_>]) -> Result<Vec<AddedColumns>> {
        self.bounded(all(self, enqueue(self, moved_us, jobs))).await
    }

    async fn claim(&self, moved_us: i64, claim: &ClaimRow<'_>) -> Result<Vec<Lease>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/claim.sql")))
            .bind(moved_us)
            .bind(claim.kind)
            .bind(claim.limit)
            .bind(claim.lease_us)
            .bind(claim.token)
            .bind(claim.worker);
        let leased = self.bounded(all(self, statement)).await?;
        Ok(leased.into_iter().map(|row| rows::lease(row, claim.token, instant)).collect())
    }

    async fn extend(&self, moved_us: i64, keys: &[KeyRow], lease_us: i64) -> Result<Vec<(KeyRow, bool)>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/extend.sql")))
            .bind(moved_us)
            .bind(column(keys, |key| key.id))
            .bind(column(keys, |key| key.token))
            .bind(lease_us);
        let held = self.bounded(all(self, statement)).await?;
        Ok(held.into_iter().map(|(id, token, cancel)| (KeyRow { id, token }, cancel)).collect())
    }

    async fn complete(&self, moved_us: i64, done: &[DoneRow], rest: &[JobRow<'_>]) -> Result<Vec<KeyRow>> {
        let statement = complete(self, moved_us, done);
        if rest.is_empty() {
            return Ok(self.bounded(all(self, statement)).await?.into_iter().map(key).collect());
        }
        self.bounded(async {
            let mut transaction = self.begin().await?;
            let ended = statement.fetch_all(&mut *transaction).await.map_err(failed)?;
            let ended: Vec<KeyRow> = ended.into_iter().map(key).collect();
            let rest = rows::rest_of(&ended, rest);
            enqueue(self, moved_us, &rest).fetch_all(&mut *transaction).await.map_err(failed)?;
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    async fn settle(&self, moved_us: i64, tries: &[SettleRow]) -> Result<Vec<SettledRow>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/settle.sql")))
            .bind(moved_us)
            .bind(column(tries, |row| row.key.id))
            .bind(column(tries, |row| row.key.token))
            .bind(column(tries, |row| row.ending.letter()))
            .bind(column(tries, |row| row.code.as_deref()))
            .bind(column(tries, |row| row.message.as_deref()))
            .bind(column(tries, |row| row.is_final))
            .bind(column(tries, |row| row.first_us))
            .bind(column(tries, |row| row.longest_us))
            .bind(column(tries, |row| row.jitter))
            .bind(rows::MAX_CRASHES);
        let settled = self.bounded(all(self, statement)).await?;
        Ok(settled.into_iter().map(|row| rows::settled(row, |token| token)).collect())
    }

    async fn expired(&self, moved_us: i64, limit: i32) -> Result<Vec<KeyRow>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/expired.sql"))).bind(moved_us).bind(limit);
        Ok(self.bounded(all(self, statement)).await?.into_iter().map(key).collect())
    }

    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/live.sql"))).bind(moved_us).bind(kind);
        Ok(self.bounded(all(self, statement)).await?.into_iter().map(rows::live).collect())
    }

    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/counts.sql"))).bind(moved_us);
        self.bounded(all(self, statement)).await
    }

    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/failed.sql"))).bind(kind).bind(limit);
        let finished = self.bounded(all(self, statement)).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/finished.sql"))).bind(ids);
        let finished = self.bounded(all(self, statement)).await?;
        Ok(finished.into_iter().map(|row| rows::finished(row, instant)).collect())
    }

    async fn lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<Option<DateTime<Utc>>> {
        let statement = query_as(self.sql(include_str!("../sql/postgres/lock.sql")))
            .bind(moved_us)
            .bind(lock.name)
            .bind(lock.lease_us)
            .bind(lock.token)
            .bind(lock.holder);
        Ok(self.bounded(all(self, statement)).await?.into_iter().map(|(until,)| until).next())
    }

    async fn extend_lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<bool> {
        let statement = query(self.sql(include_str!("../sql/postgres/extend_lock.sql")))
            .bind(moved_us)
            .bind(lock.name)
            .bind(lock.token)
            .bind(lock.lease_us);
        Ok(self.bounded(changes(self, statement)).await? > 0)
    }

    async fn unlock(&self, lock: &LockRow<'_>) -> Result<bool> {
        let statement = query(self.sql(include_str!("../sql/postgres/unlock.sql"))).bind(lock.name).bind(lock.token);
        Ok(self.bounded(changes(self, statement)).await? > 0)
    }
}

type Answering<'q, T> = QueryAs<'q, sqlx::Postgres, T, PgArguments>;

fn enqueue<'q>(database: &Postgres, moved_us: i64, jobs: &'q [JobRow<'q>]) -> Answering<'q, AddedColumns> {
    let start_at = |job: &JobRow<'_>| job.start_at_us.and_then(DateTime::from_timestamp_micros);
    query_as(database.sql(include_str!("../sql/postgres/enqueue.sql")))
        .bind(moved_us)
        .bind(column(jobs, |job| job.kind))
        .bind(column(jobs, |job| job.key))
        .bind(column(jobs, |job| job.group_name))
        .bind(column(jobs, |job| job.payload.as_str()))
        .bind(column(jobs, |job| job.rank))
        .bind(column(jobs, |job| job.max_attempts))
        .bind(column(jobs, |job| job.wait_us))
        .bind(column(jobs, start_at))
        .bind(column(jobs, |job| job.parent))
}

fn complete<'q>(database: &Postgres, moved_us: i64, done: &'q [DoneRow]) -> Answering<'q, (i64, Uuid)> {
    query_as(database.sql(include_str!("../sql/postgres/complete.sql")))
        .bind(moved_us)
        .bind(column(done, |row| row.key.id))
        .bind(column(done, |row| row.key.token))
        .bind(column(done, |row| row.result.as_deref()))
        .bind(column(done, |row| row.cost))
}

/// Runs one statement, which is its own transaction.
async fn all<T>(database: &Postgres, statement: Answering<'_, T>) -> Result<Vec<T>>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut connection = database.connection().await?;
    let rows = statement.fetch_all(&mut *connection).await.map_err(failed)?;
    connection.finish();
    Ok(rows)
}

async fn one<T>(database: &Postgres, statement: Answering<'_, T>) -> Result<T>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut connection = database.connection().await?;
    let row = statement.fetch_one(&mut *connection).await.map_err(failed)?;
    connection.finish();
    Ok(row)
}

async fn changes(database: &Postgres, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<u64> {
    let mut connection = database.connection().await?;
    let done = statement.execute(&mut *connection).await.map_err(failed)?;
    connection.finish();
    Ok(done.rows_affected())
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
