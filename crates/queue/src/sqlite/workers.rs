use async_trait::async_trait;
use barkeep_database::Sqlite;
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{instant, read, token, write};
use crate::rows::{self, WorkerRow};
use crate::statements::WorkerStatements;
use crate::{Result, WorkerState};

#[async_trait]
impl WorkerStatements for Sqlite {
    async fn show_worker(&self, moved_us: i64, worker: &WorkerRow<'_>) -> Result<()> {
        write(self, moved_us, |now| {
            query(include_str!("../../sql/sqlite/show_worker.sql"))
                .bind(now)
                .bind(worker.id.to_string())
                .bind(worker.lease_us)
                .bind(worker.pid)
                .bind(worker.running)
                .bind(worker.name)
                .bind(worker.host)
                .bind(worker.version)
                .bind(&worker.kinds)
        })
        .await?;
        Ok(())
    }

    async fn forget_worker(&self, id: Uuid) -> Result<()> {
        let statement = |_| query(include_str!("../../sql/sqlite/forget_worker.sql")).bind(id.to_string());
        write(self, 0, statement).await?;
        Ok(())
    }

    async fn workers(&self, moved_us: i64) -> Result<Vec<WorkerState>> {
        let workers = read(self, moved_us, |now| query_as(include_str!("../../sql/sqlite/workers.sql")).bind(now));
        Ok(workers.await?.into_iter().map(|row| rows::worker(row, token, instant)).collect())
    }
}
