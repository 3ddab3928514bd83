use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{MemoryQueue, State};
use crate::watch::{Beat, Spent, Vitals, Watch};
use crate::{Inspect, Outcome, Result, check};

#[async_trait]
impl Watch for MemoryQueue {
    async fn vitals(&self, kind: &str) -> Result<Vitals> {
        check::kind("kind", kind)?;
        let counts = self.counts().await?.remove(kind).unwrap_or_default();
        let state = self.state();
        let now = state.now;
        let live = || state.live.values().filter(|job| job.new.kind == kind);
        let held = || live().filter_map(|job| job.held.as_ref());
        let due = || live().filter(|job| job.held.is_none() && job.run_at <= now);
        Ok(Vitals {
            now,
            counts,
            paused: due().filter(|job| state.is_paused(job)).count() as u64,
            workers: state.list_workers().iter().filter(|worker| worker.is_alive).count() as u64,
            lapsed: held().filter(|held| held.until <= now).count() as u64,
            crashes: live().map(|job| u64::from(job.crashes)).sum(),
            oldest_ready_at: due().filter(|job| !state.is_paused(job)).map(|job| job.run_at).min(),
            oldest_started_at: held().map(|held| held.since).min(),
            failures: state.failures_since(now - TimeDelta::hours(1), kind),
            budgets: state.budgets.iter().map(|(name, budget)| budget.vitals(name, now)).collect(),
            beats: state.beats.values().cloned().collect(),
        })
    }

    async fn beat(&self, name: &str, holder: &str, note: &Value) -> Result<()> {
        check::text("name", name, 128)?;
        check::text("holder", holder, 128)?;
        check::json("note", note)?;
        let mut state = self.state();
        let beat = Beat { name: name.to_owned(), at: state.now, holder: holder.to_owned(), note: note.clone() };
        state.beats.insert(name.to_owned(), beat);
        Ok(())
    }

    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<Spent>> {
        check::kind("kind", kind)?;
        let state = self.state();
        let mut spent = BTreeMap::new();
        let ended = state.finished.values().map(|(job, _)| job);
        for job in ended.filter(|job| job.kind == kind && job.outcome == Outcome::Succeeded && job.finished_at >= since)
        {
            let (day, group) = (job.finished_at.date_naive(), job.group.clone());
            let new = || Spent { day, group: group.clone(), jobs: 0, cost: 0, expected_cost: 0 };
            let line: &mut Spent = spent.entry((day, job.group.clone())).or_insert_with(new);
            line.jobs += 1;
            line.cost += job.cost;
            line.expected_cost += job.result["expected_cost"].as_u64().unwrap_or(0);
        }
        Ok(spent.into_values().collect())
    }
}

impl State {
    fn failures_since(&self, since: DateTime<Utc>, kind: &str) -> BTreeMap<String, u64> {
        let mut failures = BTreeMap::new();
        for (job, _) in self.finished.values() {
            if job.kind == kind && job.outcome == Outcome::Failed && job.finished_at > since {
                *failures.entry(job.code.clone().unwrap_or_default()).or_default() += 1;
            }
        }
        failures
    }
}
