use std::collections::BTreeMap;

use async_trait::async_trait;
use barkeep_database::PoolWaits;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::DatabaseQueue;
use crate::statements::Statements;
use crate::watch::{Beat, BudgetVitals, Spent, Vitals, Watch};
use crate::{Counts, Result, check};

#[async_trait]
impl<D: Statements> Watch for DatabaseQueue<D> {
    async fn vitals(&self, kind: &str) -> Result<Vitals> {
        check::kind("kind", kind)?;
        let text = self.database.vitals(self.clock.moved_us(), kind).await?;
        let look: Look =
            serde_json::from_str(&text).map_err(|error| barkeep_database::Error::Failed(Box::new(error)))?;
        Ok(look.into())
    }

    async fn beat(&self, name: &str, holder: &str, note: &Value) -> Result<()> {
        check::text("name", name, 128)?;
        check::text("holder", holder, 128)?;
        let note = check::json("note", note)?;
        self.database.beat(self.clock.moved_us(), name, holder, &note).await
    }

    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<Spent>> {
        check::kind("kind", kind)?;
        let number = |sum: i64| sum.max(0).cast_unsigned();
        let spent = |(days, group, jobs, cost, expected)| Spent {
            day: instant(i64::saturating_mul(days, 86_400_000_000)).date_naive(),
            group,
            jobs: number(jobs),
            cost: number(cost),
            expected_cost: number(expected),
        };
        let mut lines: Vec<Spent> = self.database.spent(kind, since).await?.into_iter().map(spent).collect();
        lines.sort_by(|one, other| (one.day, &one.group).cmp(&(other.day, &other.group)));
        Ok(lines)
    }

    fn pool_waits(&self) -> PoolWaits {
        self.database.pool_waits()
    }
}

/// What vitals.sql answers.
#[derive(Deserialize)]
struct Look {
    now_us: i64,
    waiting: u64,
    ready: u64,
    paused: u64,
    running: u64,
    workers: u64,
    lapsed: u64,
    crashes: u64,
    succeeded: i64,
    failed: i64,
    cancelled: i64,
    oldest_ready_us: Option<i64>,
    oldest_started_us: Option<i64>,
    failures: BTreeMap<String, u64>,
    budgets: Vec<BudgetVitals>,
    beats: Vec<BeatLook>,
}

#[derive(Deserialize)]
struct BeatLook {
    name: String,
    at_us: i64,
    holder: String,
    note: Value,
}

impl From<Look> for Vitals {
    fn from(look: Look) -> Self {
        let ended = |jobs: i64| jobs.max(0).cast_unsigned();
        let beat =
            |beat: BeatLook| Beat { name: beat.name, at: instant(beat.at_us), holder: beat.holder, note: beat.note };
        Self {
            now: instant(look.now_us),
            counts: Counts {
                waiting: look.waiting,
                ready: look.ready,
                running: look.running,
                succeeded: ended(look.succeeded),
                failed: ended(look.failed),
                cancelled: ended(look.cancelled),
            },
            paused: look.paused,
            workers: look.workers,
            lapsed: look.lapsed,
            crashes: look.crashes,
            oldest_ready_at: look.oldest_ready_us.map(instant),
            oldest_started_at: look.oldest_started_us.map(instant),
            failures: look.failures,
            budgets: look.budgets,
            beats: look.beats.into_iter().map(beat).collect(),
        }
    }
}

fn instant(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(microseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
