use std::sync::Arc;

use async_trait::async_trait;
use barkeep_database::Postgres;
use chrono::DateTime;
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{Answering, all, changes, column, failed, instant, key, one};
use crate::Result;
use crate::rows::{self, ClaimRow, DoneRow, JobRow, KeyRow, LeaseRow, SettleRow, SettledRow, SpendRow};
use crate::statements::JobStatements;

#[async_trait]
impl JobStatements for Postgres {
    fn fence(&self) -> Arc<str> {
        self.sql(include_str!("../../sql/postgres/fence.sql")).as_str().into()
    }

    async fn enqueue(&self, moved_us: i64, jobs: &[JobRow<'_>]) -> Result<Vec<Option<i64>>> {
        Ok(ids_of(jobs, one(self, || enqueue(self, moved_us, jobs)).await?))
    }

    async fn claim(&self, moved_us: i64, claim: &ClaimRow<'_>) -> Result<Vec<LeaseRow>> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/claim.sql")))
                .bind(moved_us)
                .bind(claim.kind)
                .bind(claim.limit)
                .bind(claim.lease_us)
                .bind(claim.token)
                .bind(claim.worker)
                .bind(claim.floor.map(|(rank, ..)| rank))
                .bind(claim.floor.and_then(|(_, run_at_us, _)| DateTime::from_timestamp_micros(run_at_us)))
                .bind(claim.floor.map(|(.., id)| id))
        };
        let leased = all(self, statement).await?;
        let mut leased: Vec<LeaseRow> = leased.into_iter().map(|row| rows::lease(row, claim, instant)).collect();
        // Here rather than by the server, which has more to do.
        leased.sort_unstable_by_key(|(_, place)| *place);
        Ok(leased)
    }

    async fn extend(&self, moved_us: i64, keys: &[KeyRow], lease_us: i64) -> Result<Vec<(KeyRow, bool)>> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/extend.sql")))
                .bind(moved_us)
                .bind(column(keys, |key| key.id))
                .bind(column(keys, |key| key.token))
                .bind(lease_us)
        };
        let held = all(self, statement).await?;
        Ok(held.into_iter().map(|(id, token, cancel)| (KeyRow { id, token }, cancel)).collect())
    }

    async fn complete(&self, moved_us: i64, done: &[DoneRow], rest: &[(KeyRow, JobRow<'_>)]) -> Result<Vec<KeyRow>> {
        let statement = || complete(self, moved_us, done);
        if rest.is_empty() {
            return Ok(keys(one(self, statement).await?));
        }
        self.bounded(|| async {
            let mut transaction = self.begin().await?;
            let ended = keys(statement().fetch_one(&mut *transaction).await.map_err(failed)?);
            let rest = rows::rest_of(&ended, rest);
            enqueue(self, moved_us, &rest).fetch_one(&mut *transaction).await.map_err(failed)?;
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    async fn settle(&self, moved_us: i64, tries: &[SettleRow]) -> Result<Vec<SettledRow>> {
        let statement = || {
            query_as(self.sql(include_str!("../../sql/postgres/settle.sql")))
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
                .bind(column(tries, |row| row.cost))
                .bind(rows::MAX_CRASHES)
        };
        let settled = all(self, statement).await?;
        Ok(settled.into_iter().map(|row| rows::settled(row, |token| token)).collect())
    }

    async fn spend(&self, spendings: &[SpendRow]) -> Result<()> {
        let statement = || {
            query(self.sql(include_str!("../../sql/postgres/spend.sql")))
                .bind(column(spendings, |row| row.key.id))
                .bind(column(spendings, |row| row.key.token))
                .bind(column(spendings, |row| row.cost))
        };
        changes(self, statement).await?;
        Ok(())
    }

    async fn expired(&self, moved_us: i64, limit: i32) -> Result<Vec<KeyRow>> {
        let statement =
            || query_as(self.sql(include_str!("../../sql/postgres/expired.sql"))).bind(moved_us).bind(limit);
        Ok(all(self, statement).await?.into_iter().map(key).collect())
    }
}

/// What enqueue.sql answers: ids of the new jobs, and their kinds and keys unless all are new; no ids if none is.
pub(super) type AddedArrays = (Option<Vec<i64>>, Option<Vec<String>>, Option<Vec<Option<String>>>);

pub(super) fn enqueue<'q>(database: &Postgres, moved_us: i64, jobs: &'q [JobRow<'q>]) -> Answering<'q, AddedArrays> {
    let start_at = |job: &JobRow<'_>| job.start_at_us.and_then(DateTime::from_timestamp_micros);
    query_as(database.sql(include_str!("../../sql/postgres/enqueue.sql")))
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

/// Of each job its id, if it is new.
pub(super) fn ids_of(jobs: &[JobRow<'_>], added: AddedArrays) -> Vec<Option<i64>> {
    match added {
        (Some(ids), Some(kinds), Some(keys)) => {
            let added = ids.into_iter().zip(kinds).zip(keys).map(|((id, kind), key)| (id, kind, key));
            rows::ids_of(jobs, added.collect())
        }
        (Some(mut ids), ..) => {
            ids.sort_unstable();
            ids.into_iter().map(Some).collect()
        }
        (None, ..) => vec![None; jobs.len()],
    }
}

/// What complete.sql answers: ids and tokens.
type KeyArrays = (Option<Vec<i64>>, Option<Vec<Uuid>>);

fn keys((ids, tokens): KeyArrays) -> Vec<KeyRow> {
    ids.into_iter().flatten().zip(tokens.into_iter().flatten()).map(key).collect()
}

fn complete<'q>(database: &Postgres, moved_us: i64, done: &'q [DoneRow]) -> Answering<'q, KeyArrays> {
    query_as(database.sql(include_str!("../../sql/postgres/complete.sql")))
        .bind(moved_us)
        .bind(column(done, |row| row.key.id))
        .bind(column(done, |row| row.key.token))
        .bind(column(done, |row| row.result.as_deref()))
        .bind(column(done, |row| row.cost))
}
