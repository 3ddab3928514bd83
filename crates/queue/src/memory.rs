//! The reference model: a queue in memory, as plain as it can be told, which the real ones are compared with.

mod budgets;
mod control;
mod inspect;
mod locks;
mod watch;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::rows::{ClaimRow, DoneRow, JobRow, SettleRow, WorkerRow};
use crate::{
    Attempt, Claim, Completion, Extension, Failure, FinishedJob, JobId, Lease, LeaseKey, NewJob, Outcome, Pause,
    Presence, Queue, Reaped, Release, Result, Scope, Spending, Start, Then, Token, Verdict, WorkerId, check,
};

/// A queue in memory: for tests, and for those who want to know exactly what a queue does.
///
/// Its clock stands still but for [`advance`](Self::advance).
#[derive(Clone, Debug, Default)]
pub struct MemoryQueue {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    now: DateTime<Utc>,
    last_id: i64,
    live: BTreeMap<JobId, Job>,
    finished: BTreeMap<JobId, (FinishedJob, NewJob)>,
    /// How many jobs of a kind ended in which way.
    tally: BTreeMap<(String, Outcome), u64>,
    /// Tries that did not end well, with their jobs.
    attempts: Vec<(JobId, Attempt)>,
    ledger: BTreeMap<(DateTime<Utc>, String, Option<String>), Booked>,
    pauses: BTreeSet<Pause>,
    caps: BTreeMap<Scope, u32>,
    locks: BTreeMap<String, crate::Lock>,
    workers: BTreeMap<WorkerId, workers::Listed>,
    budgets: BTreeMap<String, budgets::Budget>,
    beats: BTreeMap<String, crate::Beat>,
    /// From which budget the jobs of a kind spend.
    budgets_of: BTreeMap<String, String>,
}

/// A line of the ledger.
#[derive(Clone, Copy, Debug, Default)]
struct Booked {
    succeeded: u64,
    failed: u64,
    cost: u64,
}

/// A live job.
#[derive(Clone, Debug)]
struct Job {
    new: NewJob,
    parent: Option<JobId>,
    created_at: DateTime<Utc>,
    run_at: DateTime<Utc>,
    failures: u16,
    crashes: u16,
    code: Option<String>,
    message: Option<String>,
    held: Option<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    token: Token,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    worker: String,
    cancel_requested: bool,
    /// What the try has cost when that was last told.
    cost: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            now: DateTime::from_timestamp(1_700_000_000, 0).expect("an instant of 2023"),
            last_id: 0,
            live: BTreeMap::new(),
            finished: BTreeMap::new(),
            tally: BTreeMap::new(),
            attempts: Vec::new(),
            ledger: BTreeMap::new(),
            pauses: BTreeSet::new(),
            caps: BTreeMap::new(),
            locks: BTreeMap::new(),
            workers: BTreeMap::new(),
            budgets: BTreeMap::new(),
            beats: BTreeMap::new(),
            budgets_of: BTreeMap::new(),
        }
    }
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.state().now += by;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
        for (place, job) in jobs.iter().enumerate() {
            JobRow::checked(format_args!("jobs[{place}]"), job)?;
        }
        let mut state = self.state();
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        order.sort_by_key(|place| (&jobs[*place].kind, &jobs[*place].key));
        let mut ids = vec![None; jobs.len()];
        for place in order {
            ids[place] = state.add(&jobs[place], None);
        }
        Ok(ids)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>> {
        ClaimRow::checked(claim)?;
        let mut state = self.state();
        let mut ready: Vec<_> = state
            .live
            .iter()
            .filter(|(_, job)| state.may_be_claimed(job, &claim.kind))
            .map(|(id, job)| (-job.new.priority, job.run_at, *id))
            .collect();
        ready.sort_unstable();
        let token = Token::random();
        let mut leases = Vec::new();
        for (_, _, id) in ready {
            if leases.len() < claim.limit.into() && state.caps_have_room_for(id) {
                leases.push(state.lease(id, token, claim));
            }
        }
        Ok(leases)
    }

    async fn extend(&self, leases: &[LeaseKey], lease: Duration) -> Result<Vec<Extension>> {
        check::lease("lease", lease)?;
        let mut state = self.state();
        let until = state.now + lease;
        let mut extend = |key: &LeaseKey| match state.held(*key) {
            None => Extension::Lost,
            Some(held) => {
                held.until = until;
                if held.cancel_requested { Extension::CancelRequested } else { Extension::Held }
            }
        };
        Ok(leases.iter().map(&mut extend).collect())
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<LeaseKey>> {
        for (place, done) in done.iter().enumerate() {
            DoneRow::checked(format_args!("done[{place}]"), done)?;
            for (rest, job) in done.rest.iter().enumerate() {
                JobRow::checked(format_args!("done[{place}].rest[{rest}]"), job)?;
            }
        }
        let mut state = self.state();
        let (mut lost, mut spent, mut rest) = (Vec::new(), BTreeSet::new(), Vec::new());
        for done in done {
            if state.held(done.lease).is_some() {
                state.complete(done);
                spent.insert(done.lease);
                rest.extend(done.rest.iter().map(|job| (job, done.lease.id)));
            } else if !spent.contains(&done.lease) {
                lost.push(done.lease);
            }
        }
        rest.sort_by_key(|(job, _)| (&job.kind, &job.key));
        for (job, parent) in rest {
            state.add(job, Some(parent));
        }
        Ok(lost)
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<Verdict>> {
        for (place, failure) in failures.iter().enumerate() {
            SettleRow::failed(format_args!("failures[{place}]"), failure)?;
        }
        let mut state = self.state();
        Ok(failures.iter().map(|failure| state.fail(failure)).collect())
    }

    async fn release(&self, releases: &[Release]) -> Result<Vec<LeaseKey>> {
        for (place, release) in releases.iter().enumerate() {
            SettleRow::released(format_args!("releases[{place}]"), release)?;
        }
        let mut state = self.state();
        let (mut lost, mut spent) = (Vec::new(), BTreeSet::new());
        for Release { lease, wait, cost } in releases {
            match state.held(*lease) {
                None if spent.contains(lease) => {}
                None => lost.push(*lease),
                Some(held) => {
                    let cancelled = held.cancel_requested;
                    spent.insert(*lease);
                    state.book(lease.id, *cost);
                    if cancelled {
                        state.end(lease.id, Outcome::Cancelled);
                    } else {
                        state.give_back(lease.id, *wait);
                    }
                }
            }
        }
        Ok(lost)
    }

    async fn spend(&self, spendings: &[Spending]) -> Result<()> {
        let mut state = self.state();
        for spending in spendings {
            if let Some(held) = state.held(spending.lease) {
                held.cost = spending.cost;
            }
        }
        Ok(())
    }

    async fn show_worker(&self, worker: &Presence) -> Result<()> {
        WorkerRow::checked(worker)?;
        self.state().show_worker(worker);
        Ok(())
    }

    async fn forget_worker(&self, id: WorkerId) -> Result<()> {
        self.state().workers.remove(&id);
        Ok(())
    }

    async fn reap(&self) -> Result<Reaped> {
        let mut state = self.state();
        let now = state.now;
        let lapsed = |job: &Job| job.held.as_ref().is_some_and(|held| held.until <= now);
        let lapsed: Vec<JobId> = state.live.iter().filter(|(_, job)| lapsed(job)).map(|(id, _)| *id).collect();
        let mut reaped = Reaped::default();
        for id in lapsed {
            if state.crash(id) { reaped.ended += 1 } else { reaped.returned += 1 }
        }
        Ok(reaped)
    }
}

impl State {
    fn add(&mut self, new: &NewJob, parent: Option<JobId>) -> Option<JobId> {
        let same = |job: &Job| job.new.kind == new.kind && new.key.is_some() && job.new.key == new.key;
        if self.live.values().any(same) {
            return None;
        }
        self.last_id += 1;
        let id = JobId::new(self.last_id);
        let run_at = match new.start {
            Start::Now => self.now,
            Start::After(wait) => self.now + wait,
            Start::At(at) => at.max(self.now),
        };
        let job = Job {
            new: new.clone(),
            parent,
            created_at: self.now,
            run_at,
            failures: 0,
            crashes: 0,
            code: None,
            message: None,
            held: None,
        };
        self.live.insert(id, job);
        Some(id)
    }

    fn may_be_claimed(&self, job: &Job, kind: &str) -> bool {
        job.new.kind == kind
            && job.held.is_none()
            && job.run_at <= self.now
            && !self.is_paused(job)
            && self.exhausted(kind).is_none()
    }

    fn is_paused(&self, job: &Job) -> bool {
        self.pauses.iter().any(|pause| pause.covers(&job.new.kind, job.new.group.as_deref()))
    }

    fn running(&self, scope: &Scope) -> u64 {
        let counts = |job: &&Job| job.held.is_some() && scope.covers(&job.new.kind, job.new.group.as_deref());
        self.live.values().filter(counts).count() as u64
    }

    fn caps_have_room_for(&self, id: JobId) -> bool {
        let new = &self.live[&id].new;
        let covering = self.caps.iter().filter(|(scope, _)| scope.covers(&new.kind, new.group.as_deref()));
        covering.map(|(scope, limit)| (self.running(scope), *limit)).all(|(running, limit)| running < limit.into())
    }

    fn lease(&mut self, id: JobId, token: Token, claim: &Claim) -> Lease {
        let (since, until) = (self.now, self.now + claim.lease);
        let job = self.live.get_mut(&id).expect("only live jobs are leased");
        job.held = Some(Held { token, since, until, worker: claim.worker.clone(), cancel_requested: false, cost: 0 });
        Lease {
            id,
            token,
            kind: job.new.kind.clone(),
            key: job.new.key.clone(),
            group: job.new.group.clone(),
            payload: job.new.payload.clone(),
            priority: job.new.priority,
            attempt: job.failures + 1,
            max_attempts: job.new.max_attempts,
            crashes: job.crashes,
            until,
            waited: (since - job.run_at).to_std().unwrap_or_default(),
            fence: None,
        }
    }

    /// The lease that a key proves, if it stands.
    fn held(&mut self, key: LeaseKey) -> Option<&mut Held> {
        self.live.get_mut(&key.id)?.held.as_mut().filter(|held| held.token == key.token)
    }

    fn job(&mut self, id: JobId) -> &mut Job {
        self.live.get_mut(&id).expect("a job that is held is live")
    }

    fn complete(&mut self, done: &Completion) {
        self.end(done.lease.id, Outcome::Succeeded);
        let (finished, _) = self.finished.get_mut(&done.lease.id).expect("it has just ended");
        finished.payload = serde_json::Value::Null;
        finished.result = done.result.clone();
        finished.cost = done.cost.min(u32::MAX.into());
        finished.code = None;
        finished.message = None;
        let (kind, group, cost) = (finished.kind.clone(), finished.group.clone(), finished.cost);
        self.line(&kind, group.as_deref()).cost += cost;
    }

    fn fail(&mut self, failure: &Failure) -> Verdict {
        let Some(held) = self.held(failure.lease) else { return Verdict::Lost };
        let cancelled = held.cancel_requested;
        let job = self.job(failure.lease.id);
        job.failures += 1;
        job.code = Some(failure.code.clone());
        job.message = Some(check::message(&failure.message));
        let wait = match failure.then {
            Then::Backoff(backoff) => backoff.wait(job.failures, 1.0),
            Then::After(wait) => wait,
            Then::Discard => Duration::ZERO,
        };
        self.log(failure.lease.id);
        self.book(failure.lease.id, failure.cost);
        let job = self.job(failure.lease.id);
        let last = failure.then == Then::Discard || job.failures >= job.new.max_attempts;
        if cancelled {
            self.end(failure.lease.id, Outcome::Cancelled);
            Verdict::Cancelled
        } else if last {
            self.end(failure.lease.id, Outcome::Failed);
            Verdict::Failed
        } else {
            self.give_back(failure.lease.id, wait);
            Verdict::Retrying { wait }
        }
    }

    /// Whether it has ended.
    fn crash(&mut self, id: JobId) -> bool {
        let job = self.job(id);
        job.crashes += 1;
        job.code = Some("CRASHED".to_owned());
        job.message = None;
        job.failures += 1;
        self.log(id);
        let job = self.job(id);
        job.failures -= 1;
        let held = job.held.as_ref().expect("a lease that ran out is there");
        let (cancelled, cost) = (held.cancel_requested, held.cost);
        self.book(id, cost);
        let job = self.job(id);
        let poisonous = i32::from(job.crashes) >= crate::rows::MAX_CRASHES;
        match (cancelled, poisonous) {
            (true, _) => self.end(id, Outcome::Cancelled),
            (false, true) => self.end(id, Outcome::Failed),
            (false, false) => self.give_back(id, Duration::ZERO),
        }
        cancelled || poisonous
    }

    /// Notes down the try that has just ended.
    fn log(&mut self, id: JobId) {
        let finished_at = self.now;
        let job = self.job(id);
        let held = job.held.as_ref().expect("a try is at a job that is held");
        let attempt = Attempt {
            attempt: job.failures,
            worker: held.worker.clone(),
            code: job.code.clone().expect("a try that did not end well has a code"),
            message: job.message.clone(),
            started_at: held.since,
            finished_at,
        };
        self.attempts.push((id, attempt));
    }

    /// Books what a try at a live job has cost.
    fn book(&mut self, id: JobId, cost: u64) {
        let job = self.job(id);
        let (kind, group) = (job.new.kind.clone(), job.new.group.clone());
        if cost > 0 {
            self.line(&kind, group.as_deref()).cost += cost.min(u32::MAX.into());
        }
    }

    /// What has ended this hour.
    fn line(&mut self, kind: &str, group: Option<&str>) -> &mut Booked {
        self.line_at(self.now, kind, group)
    }

    /// What ended in the hour of an instant.
    fn line_at(&mut self, instant: DateTime<Utc>, kind: &str, group: Option<&str>) -> &mut Booked {
        let hour = instant.duration_trunc(TimeDelta::hours(1)).expect("an hour is no odd length");
        self.ledger.entry((hour, kind.to_owned(), group.map(str::to_owned))).or_default()
    }

    fn give_back(&mut self, id: JobId, wait: Duration) {
        let run_at = self.now + wait;
        let job = self.job(id);
        job.run_at = run_at;
        job.held = None;
    }

    fn end(&mut self, id: JobId, outcome: Outcome) {
        let job = self.live.remove(&id).expect("only live jobs end");
        let code = job.code.or_else(|| (outcome == Outcome::Cancelled).then(|| "CANCELLED".to_owned()));
        *self.tally.entry((job.new.kind.clone(), outcome)).or_default() += 1;
        let line = self.line(&job.new.kind, job.new.group.as_deref());
        match outcome {
            Outcome::Succeeded => line.succeeded += 1,
            Outcome::Failed | Outcome::Cancelled => line.failed += 1,
        }
        let finished = FinishedJob {
            id,
            parent: job.parent,
            kind: job.new.kind.clone(),
            key: job.new.key.clone(),
            group: job.new.group.clone(),
            payload: job.new.payload.clone(),
            result: serde_json::Value::Null,
            outcome,
            failures: job.failures,
            crashes: job.crashes,
            cost: 0,
            worker: job.held.map(|held| held.worker),
            code,
            message: job.message,
            created_at: job.created_at,
            finished_at: self.now,
        };
        self.finished.insert(id, (finished, job.new));
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryQueue;

    async fn queue() -> (MemoryQueue, ()) {
        (MemoryQueue::new(), ())
    }

    crate::queue_conformance!(queue());
}
