use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::DatabaseQueue;
use crate::statements::Statements;
use crate::{Counts, FinishedJob, Inspect, JobId, LiveJob, Result, check};

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

    async fn failed(&self, kind: &str, limit: u32) -> Result<Vec<FinishedJob>> {
        check::kind("kind", kind)?;
        self.database.failed(kind, limit.into()).await
    }

    async fn finished(&self, jobs: &[JobId]) -> Result<Vec<FinishedJob>> {
        let ids: Vec<i64> = jobs.iter().map(|id| id.number()).collect();
        self.database.finished(&ids).await
    }
}
