use async_trait::async_trait;
use barkeep_database::Postgres;
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{all, changes, instant};
use crate::rows::{self, WorkerRow};
use crate::statements::WorkerStatements;
use crate::{Result, WorkerState};

#[async_trait]
impl WorkerStatements for Postgres {
    async fn show_worker(&self, moved_us: i64, worker: &WorkerRow<'_>) -> Result<()> {
        let statement = || {
            query(self.sql(include_str!("../../sql/postgres/show_worker.sql")))
                .bind(moved_us)
                .bind(worker.id)
                .bind(worker.lease_us)
                .bind(worker.pid)
                .bind(worker.running)
                .bind(worker.name)
                .bind(worker.host)
                .bind(worker.version)
                .bind(&worker.kinds)
        };
        changes(self, statement).await?;
        Ok(())
    }

    async fn forget_worker(&self, id: Uuid) -> Result<()> {
        let statement = || query(self.sql(include_str!("../../sql/postgres/forget_worker.sql"))).bind(id);
        changes(self, statement).await?;
        Ok(())
    }

    async fn workers(&self, moved_us: i64) -> Result<Vec<WorkerState>> {
        let statement = || query_as(self.sql(include_str!("../../sql/postgres/workers.sql"))).bind(moved_us);
        let workers = all(self, statement).await?;
        Ok(workers.into_iter().map(|row| rows::worker(row, |id| id, instant)).collect())
    }
}
