use std::sync::Arc;

use async_trait::async_trait;
use barkeep_database::Sqlite;
use sqlx::{query, query_as};

use super::{Answering, all, begin, instant, json, key, read, token, write, write_all};
use crate::Result;
use crate::rows::{self, AddedColumns, ClaimRow, DoneRow, JobRow, KeyRow, LeaseRow, SettleRow, SettledRow, SpendRow};
use crate::statements::JobStatements;

#[async_trait]
impl JobStatements for Sqlite {
    fn fence(&self) -> Arc<str> {
        include_str!("../../sql/sqlite/fence.sql").into()
    }

    async fn enqueue(&self, moved_us: i64, jobs: &[JobRow<'_>]) -> Result<Vec<Option<i64>>> {
        Ok(rows::ids_of(jobs, write_all(self, moved_us, |now| enqueue(now, jobs)).await?))
    }

    async fn claim(&self, moved_us: i64, claim: &ClaimRow<'_>) -> Result<Vec<LeaseRow>> {
        let statement = |now| {
            query_as(include_str!("../../sql/sqlite/claim.sql"))
                .bind(now)
                .bind(claim.kind)
                .bind(claim.limit)
                .bind(claim.lease_us)
                .bind(claim.token.to_string())
                .bind(claim.worker)
        };
        let leased = self
            .bounded(async {
                let (mut transaction, now) = begin(self, moved_us).await?;
                let mut leased = all(&mut transaction, statement(now)).await?;
                let mut before = 0;
                while leased.len() > before && leased.len() < claim.limit.unsigned_abs() as usize {
                    before = leased.len();
                    leased = all(&mut transaction, statement(now)).await?;
                }
                transaction.commit().await?;
                Ok::<_, crate::Error>(leased)
            })
            .await?;
        Ok(leased.into_iter().map(|row| rows::lease(row, claim, instant)).collect())
    }

    async fn extend(&self, moved_us: i64, keys: &[KeyRow], lease_us: i64) -> Result<Vec<(KeyRow, bool)>> {
        let held: Vec<(i64, String, bool)> = write_all(self, moved_us, |now| {
            query_as(include_str!("../../sql/sqlite/extend.sql")).bind(now).bind(json(keys)).bind(lease_us)
        })
        .await?;
        Ok(held.into_iter().map(|(id, token, cancel)| (key((id, token)), cancel)).collect())
    }

    async fn complete(&self, moved_us: i64, done: &[DoneRow], rest: &[(KeyRow, JobRow<'_>)]) -> Result<Vec<KeyRow>> {
        let statement = |now| query_as(include_str!("../../sql/sqlite/complete.sql")).bind(now).bind(json(done));
        if rest.is_empty() {
            return Ok(write_all(self, moved_us, statement).await?.into_iter().map(key).collect());
        }
        self.bounded(async {
            let (mut transaction, now) = begin(self, moved_us).await?;
            let ended: Vec<KeyRow> = all(&mut transaction, statement(now)).await?.into_iter().map(key).collect();
            let rest = rows::rest_of(&ended, rest);
            all(&mut transaction, enqueue(now, &rest)).await?;
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    async fn settle(&self, moved_us: i64, tries: &[SettleRow]) -> Result<Vec<SettledRow>> {
        let settled = write_all(self, moved_us, |now| {
            query_as(include_str!("../../sql/sqlite/settle.sql")).bind(now).bind(json(tries)).bind(rows::MAX_CRASHES)
        })
        .await?;
        Ok(settled.into_iter().map(|row| rows::settled(row, token)).collect())
    }

    async fn spend(&self, spendings: &[SpendRow]) -> Result<()> {
        let statement = |_| query(include_str!("../../sql/sqlite/spend.sql")).bind(json(spendings));
        write(self, 0, statement).await?;
        Ok(())
    }

    async fn expired(&self, moved_us: i64, limit: i32) -> Result<Vec<KeyRow>> {
        let expired =
            read(self, moved_us, |now| query_as(include_str!("../../sql/sqlite/expired.sql")).bind(now).bind(limit))
                .await?;
        Ok(expired.into_iter().map(key).collect())
    }
}

fn enqueue<'q>(now: i64, jobs: &[JobRow<'_>]) -> Answering<'q, AddedColumns> {
    query_as(include_str!("../../sql/sqlite/enqueue.sql")).bind(now).bind(json(jobs))
}
