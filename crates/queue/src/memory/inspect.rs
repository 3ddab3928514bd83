use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Booked, Job, MemoryQueue, State};
use crate::blocker::{Obstacles, Waiting};
use crate::{
    Attempt, Cap, Counts, FinishedJob, Inspect, JobId, LedgerLine, LiveJob, LiveState, Outcome, Outlook, Result,
    Upkeep, WorkerState, check,
};

#[async_trait]
impl Inspect for MemoryQueue {
    async fn now(&self) -> Result<DateTime<Utc>> {
        Ok(self.state().now)
    }

    async fn live(&self, kind: &str) -> Result<Vec<LiveJob>> {
        check::kind("kind", kind)?;
        let state = self.state();
        Ok(state.live.iter().filter(|(_, job)| job.new.kind == kind).map(|(id, job)| state.shown(*id, job)).collect())
    }

    async fn counts(&self) -> Result<BTreeMap<String, Counts>> {
        let state = self.state();
        let mut counts = BTreeMap::<String, Counts>::new();
        for job in state.live.values() {
            let counts = counts.entry(job.new.kind.clone()).or_default();
            match state.stands(job) {
                LiveState::Waiting => counts.waiting += 1,
                LiveState::Ready => counts.ready += 1,
                LiveState::Running => counts.running += 1,
            }
        }
        for ((kind, outcome), jobs) in &state.tally {
            let counts = counts.entry(kind.clone()).or_default();
            match outcome {
                Outcome::Succeeded => counts.succeeded += jobs,
                Outcome::Failed => counts.failed += jobs,
                Outcome::Cancelled => counts.cancelled += jobs,
            }
        }
        Ok(counts)
    }

    async fn caps(&self) -> Result<Vec<Cap>> {
        Ok(self.state().capped())
    }

    async fn workers(&self) -> Result<Vec<WorkerState>> {
        Ok(self.state().list_workers())
    }

    async fn outlook(&self, kind: &str) -> Result<Outlook> {
        check::kind("kind", kind)?;
        let state = self.state();
        let waits = |job: &&Job| job.new.kind == kind && job.held.is_none();
        let waiting = state.live.values().filter(waits).map(|job| Waiting {
            group: job.new.group.clone(),
            is_due: job.run_at <= state.now,
            jobs: 1,
            first_at: job.run_at,
        });
        let pauses = state.pauses.iter().cloned().collect();
        let obstacles = Obstacles { pauses, caps: state.capped(), exhausted: state.exhausted(kind) };
        Ok(obstacles.outlook(kind, &waiting.collect::<Vec<_>>()))
    }

    async fn failed(&self, kind: &str, limit: u32) -> Result<Vec<FinishedJob>> {
        check::kind("kind", kind)?;
        let state = self.state();
        let ended = state.finished.values().map(|(job, _)| job);
        let mut failed: Vec<_> =
            ended.filter(|job| job.kind == kind && job.outcome != Outcome::Succeeded).cloned().collect();
        failed.sort_by_key(|job| std::cmp::Reverse((job.finished_at, job.id)));
        failed.truncate(limit as usize);
        Ok(failed)
    }

    async fn finished(&self, jobs: &[JobId]) -> Result<Vec<FinishedJob>> {
        let state = self.state();
        Ok(state.finished.values().filter(|(job, _)| jobs.contains(&job.id)).map(|(job, _)| job.clone()).collect())
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>> {
        let state = self.state();
        Ok(state.attempts.iter().filter(|(of, _)| *of == job).map(|(_, attempt)| attempt.clone()).collect())
    }

    async fn ledger(&self, since: DateTime<Utc>) -> Result<Vec<LedgerLine>> {
        let from = since - TimeDelta::hours(1);
        let told = |((hour, kind, group), booked): (&(DateTime<Utc>, String, Option<String>), &Booked)| LedgerLine {
            hour: *hour,
            kind: kind.clone(),
            group: group.clone(),
            succeeded: booked.succeeded,
            failed: booked.failed,
            cost: booked.cost,
        };
        Ok(self.state().ledger.iter().filter(|((hour, ..), _)| *hour > from).map(told).collect())
    }
}

#[async_trait]
impl Upkeep for MemoryQueue {
    async fn prune(&self, keep: Duration) -> Result<u64> {
        check::wait("keep", keep)?;
        let mut state = self.state();
        let oldest = state.now - keep;
        let before = state.finished.len();
        state.finished.retain(|_, (job, _)| job.finished_at >= oldest);
        let pruned = (before - state.finished.len()) as u64;
        let known = |state: &State, id: &JobId| state.live.contains_key(id) || state.finished.contains_key(id);
        let mut attempts = std::mem::take(&mut state.attempts);
        attempts.retain(|(id, _)| known(&state, id));
        state.attempts = attempts;
        Ok(pruned)
    }
}

impl State {
    fn capped(&self) -> Vec<Cap> {
        self.caps.iter().map(|(scope, limit)| Cap::new(scope.clone(), *limit, self.running(scope))).collect()
    }

    fn stands(&self, job: &Job) -> LiveState {
        if job.held.is_some() {
            LiveState::Running
        } else if job.run_at <= self.now {
            LiveState::Ready
        } else {
            LiveState::Waiting
        }
    }

    fn shown(&self, id: JobId, job: &Job) -> LiveJob {
        LiveJob {
            id,
            key: job.new.key.clone(),
            group: job.new.group.clone(),
            payload: job.new.payload.clone(),
            priority: job.new.priority,
            state: self.stands(job),
            attempt: job.failures + 1,
            code: job.code.clone(),
        }
    }
}
