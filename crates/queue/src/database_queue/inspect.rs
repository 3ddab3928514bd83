use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::DatabaseQueue;
use crate::blocker::Obstacles;
use crate::statements::Statements;
use crate::{
    Attempt, Cap, Control, Counts, FinishedJob, Inspect, JobId, LedgerLine, LiveJob, Outlook, Result, Upkeep,
    WorkerState, check,
};

#[async_trait]
impl<D: Statements> Inspect for DatabaseQueue<D> {
    async fn now(&self) -> Result<DateTime<Utc>> {
        self.database.now(self.clock.moved_us()).await
    }

    async fn live(&self, kind: &str) -> Result<Vec<LiveJob>> {
        check::kind("kind", kind)?;
        self.database.live(self.clock.moved_us(), kind).await
    }

    async fn counts(&self) -> Result<BTreeMap<String, Counts>> {
        let mut counts = BTreeMap::<String, Counts>::new();
        for (kind, state, jobs) in self.database.counts(self.clock.moved_us()).await? {
            let counts = counts.entry(kind).or_default();
            let count = match state {
                0 => &mut counts.waiting,
                1 => &mut counts.ready,
                2 => &mut counts.running,
                3 => &mut counts.succeeded,
                4 => &mut counts.failed,
                _ => &mut counts.cancelled,
            };
            *count = jobs.max(0).cast_unsigned();
        }
        Ok(counts)
    }

    async fn caps(&self) -> Result<Vec<Cap>> {
        let mut caps = self.database.caps().await?;
        caps.sort_by(|one, other| one.scope.cmp(&other.scope));
        Ok(caps)
    }

    async fn workers(&self) -> Result<Vec<WorkerState>> {
        self.database.workers(self.clock.moved_us()).await
    }

    async fn outlook(&self, kind: &str) -> Result<Outlook> {
        check::kind("kind", kind)?;
        let moved_us = self.clock.moved_us();
        let waiting = self.database.waiting(moved_us, kind).await?;
        let exhausted = self.database.exhausted(moved_us, kind).await?;
        let obstacles = Obstacles { pauses: self.paused().await?, caps: self.caps().await?, exhausted };
        Ok(obstacles.outlook(kind, &waiting))
    }

    async fn failed(&self, kind: &str, limit: u32) -> Result<Vec<FinishedJob>> {
        check::kind("kind", kind)?;
        self.database.failed(kind, limit.into()).await
    }

    async fn finished(&self, jobs: &[JobId]) -> Result<Vec<FinishedJob>> {
        let ids: Vec<i64> = jobs.iter().map(|id| id.number()).collect();
        self.database.finished(&ids).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>> {
        self.database.attempts(job.number()).await
    }

    async fn ledger(&self, since: DateTime<Utc>) -> Result<Vec<LedgerLine>> {
        let mut lines = self.database.ledger(since).await?;
        lines.sort_by(|one, other| (one.hour, &one.kind, &one.group).cmp(&(other.hour, &other.kind, &other.group)));
        Ok(lines)
    }
}

/// How many jobs are forgotten in one transaction.
const PRUNE_LIMIT: i64 = 5_000;

#[async_trait]
impl<D: Statements> Upkeep for DatabaseQueue<D> {
    async fn prune(&self, keep: Duration) -> Result<u64> {
        let keep_us = check::wait("keep", keep)?;
        let mut pruned = 0;
        loop {
            let deleted = self.database.prune(self.clock.moved_us(), keep_us, PRUNE_LIMIT).await?;
            pruned += deleted;
            if deleted < PRUNE_LIMIT.cast_unsigned() {
                return Ok(pruned);
            }
        }
    }
}
