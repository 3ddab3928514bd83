//! What goes into statements and comes out of them, the same for every database.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::blocker::Waiting;
use crate::floor::Place;
use crate::{
    Attempt, BudgetState, Cancelled, Cap, Claim, Completion, Failure, FinishedJob, JobId, Lease, LeaseKey, LedgerLine,
    LiveJob, LiveState, NewJob, Outcome, Presence, Release, Result, Scope, Select, Spending, Start, Then, Token,
    WorkerId, WorkerState, check,
};

/// A job to be added.
#[derive(Clone, Debug, Serialize)]
pub struct JobRow<'a> {
    pub kind: &'a str,
    pub key: Option<&'a str>,
    pub group_name: Option<&'a str>,
    pub payload: String,
    pub rank: i16,
    pub max_attempts: i16,
    pub wait_us: i64,
    pub start_at_us: Option<i64>,
    pub parent: Option<i64>,
}

impl<'a> JobRow<'a> {
    pub(crate) fn checked(what: &str, job: &'a NewJob) -> Result<Self> {
        let part = |name: &str| format!("{what}.{name}");
        check::kind(&part("kind"), &job.kind)?;
        job.key.as_deref().map_or(Ok(()), |key| check::text(&part("key"), key, 512))?;
        job.group.as_deref().map_or(Ok(()), |group| check::group(&part("group"), group))?;
        check::priority(&part("priority"), job.priority)?;
        check::attempts(&part("max_attempts"), job.max_attempts)?;
        let (wait_us, start_at_us) = match job.start {
            Start::Now => (0, None),
            Start::After(wait) => (check::wait(&part("start"), wait)?, None),
            Start::At(at) => (0, Some(at.timestamp_micros())),
        };
        Ok(Self {
            kind: &job.kind,
            key: job.key.as_deref(),
            group_name: job.group.as_deref(),
            payload: check::json(&part("payload"), &job.payload)?,
            rank: -job.priority,
            max_attempts: job.max_attempts.cast_signed(),
            wait_us,
            start_at_us,
            parent: None,
        })
    }
}

/// What a claim asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRow<'a> {
    pub kind: &'a str,
    pub limit: i32,
    pub lease_us: i64,
    pub token: Uuid,
    pub worker: &'a str,
    /// Where to start looking.
    pub floor: Option<Place>,
}

impl<'a> ClaimRow<'a> {
    pub(crate) fn checked(claim: &'a Claim) -> Result<Self> {
        check::kind("claim.kind", &claim.kind)?;
        check::text("claim.worker", &claim.worker, 128)?;
        check::rule("claim.limit", claim.limit <= check::MAX_CLAIM, "is above 10,000")?;
        Ok(Self {
            kind: &claim.kind,
            limit: claim.limit.into(),
            lease_us: check::lease("claim.lease", claim.lease)?,
            token: Token::random().0,
            worker: &claim.worker,
            floor: None,
        })
    }
}

/// A proof of a lease, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct KeyRow {
    pub id: i64,
    pub token: Uuid,
}

impl From<LeaseKey> for KeyRow {
    fn from(key: LeaseKey) -> Self {
        Self { id: key.id.number(), token: key.token.0 }
    }
}

/// A job that was done.
#[derive(Clone, Debug, Serialize)]
pub struct DoneRow {
    #[serde(flatten)]
    pub key: KeyRow,
    pub result: Option<String>,
    pub cost: i64,
}

impl DoneRow {
    pub(crate) fn checked(what: &str, done: &Completion) -> Result<Self> {
        let result = match &done.result {
            Value::Null => None,
            result => Some(check::json(&format!("{what}.result"), result)?),
        };
        Ok(Self { key: done.lease.into(), result, cost: stored_cost(done.cost) })
    }
}

/// A lease that ends without success.
#[derive(Clone, Debug, Serialize)]
pub struct SettleRow {
    #[serde(flatten)]
    pub key: KeyRow,
    pub ending: Ending,
    pub code: Option<String>,
    pub message: Option<String>,
    pub is_final: bool,
    pub first_us: i64,
    pub longest_us: i64,
    pub jitter: f64,
    pub cost: i64,
}

/// How a lease ends without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Ending {
    #[serde(rename = "f")]
    Failed,
    #[serde(rename = "r")]
    Released,
    #[serde(rename = "c")]
    Crashed,
}

impl Ending {
    #[cfg(feature = "postgres")]
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Failed => "f",
            Self::Released => "r",
            Self::Crashed => "c",
        }
    }
}

impl SettleRow {
    pub(crate) fn failed(what: &str, failure: &Failure) -> Result<Self> {
        check::text(&format!("{what}.code"), &failure.code, 64)?;
        let part = format!("{what}.then");
        let (first, longest, jitter) = match failure.then {
            Then::Backoff(backoff) => (backoff.first, backoff.longest, jitter()),
            Then::After(wait) => (wait, wait, 1.0),
            Then::Discard => Default::default(),
        };
        Ok(Self {
            key: failure.lease.into(),
            ending: Ending::Failed,
            code: Some(failure.code.clone()),
            message: Some(check::message(&failure.message)),
            is_final: failure.then == Then::Discard,
            first_us: check::wait(&part, first)?,
            longest_us: check::wait(&part, longest)?,
            jitter,
            cost: stored_cost(failure.cost),
        })
    }

    pub(crate) fn released(what: &str, release: &Release) -> Result<Self> {
        let wait_us = check::wait(&format!("{what}.wait"), release.wait)?;
        Ok(Self {
            key: release.lease.into(),
            ending: Ending::Released,
            code: None,
            message: None,
            is_final: false,
            first_us: wait_us,
            longest_us: wait_us,
            jitter: 1.0,
            cost: stored_cost(release.cost),
        })
    }

    pub(crate) fn crashed(key: KeyRow) -> Self {
        Self {
            key,
            ending: Ending::Crashed,
            code: Some("CRASHED".to_owned()),
            message: None,
            is_final: false,
            first_us: 0,
            longest_us: 0,
            jitter: 1.0,
            cost: 0,
        }
    }
}

/// What a try has cost so far.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SpendRow {
    #[serde(flatten)]
    pub key: KeyRow,
    pub cost: i64,
}

impl From<&Spending> for SpendRow {
    fn from(spending: &Spending) -> Self {
        Self { key: spending.lease.into(), cost: stored_cost(spending.cost) }
    }
}

/// The most that is stored is what a sum of very many still fits with.
fn stored_cost(cost: u64) -> i64 {
    i64::from(u32::try_from(cost).unwrap_or(u32::MAX))
}

/// From 0.5 to 1, out of the same randomness as the tokens.
fn jitter() -> f64 {
    let random = Uuid::new_v4().as_u64_pair().1 as u32;
    0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0
}

/// What became of a lease in settle.sql.
#[derive(Clone, Copy, Debug)]
pub struct SettledRow {
    pub key: KeyRow,
    pub outcome: Option<Outcome>,
    pub wait_us: i64,
}

/// What settle.sql answers: id, token, outcome, wait.
pub(crate) type SettledColumns<T> = (i64, T, Option<i32>, i64);

/// After how many crashes a job ends, because it may be what kills its workers.
pub(crate) const MAX_CRASHES: i32 = 5;

/// Of the jobs left undone, those left by leases that stood. A job's id alone would not do: an older lease of the same job
/// may be asked about in the same call.
pub(crate) fn rest_of<'a>(ended: &[KeyRow], rest: &[(KeyRow, JobRow<'a>)]) -> Vec<JobRow<'a>> {
    let stood: HashSet<&KeyRow> = ended.iter().collect();
    rest.iter().filter(|(key, _)| stood.contains(key)).map(|(_, job)| job.clone()).collect()
}

/// What claim.sql answers, with times as the database has them.
pub(crate) type LeaseColumns<T> = (i64, T, String, Option<String>, Option<String>, String, i16, i16, i16, i16, T);

/// A lease, and the place that its job had in the order in which jobs are served.
pub(crate) type LeaseRow = (Lease, Place);

pub(crate) fn lease<T>(columns: LeaseColumns<T>, claim: &ClaimRow<'_>, instant: fn(T) -> DateTime<Utc>) -> LeaseRow {
    let (id, until, kind, key, group, payload, rank, failures, max_attempts, crashes, run_at) = columns;
    let (until, due_us) = (instant(until), instant(run_at).timestamp_micros());
    let waited_us = until.timestamp_micros() - claim.lease_us - due_us;
    let place = (rank, due_us, id);
    let lease = Lease {
        id: JobId::new(id),
        token: Token(claim.token),
        kind,
        key,
        group,
        payload: value(&payload),
        priority: -rank,
        attempt: failures.cast_unsigned() + 1,
        max_attempts: max_attempts.cast_unsigned(),
        crashes: crashes.cast_unsigned(),
        until,
        waited: std::time::Duration::from_micros(waited_us.max(0).cast_unsigned()),
        fence: None,
    };
    (lease, place)
}

/// What live.sql answers.
pub(crate) type LiveColumns = (i64, Option<String>, Option<String>, String, i16, i16, Option<String>, i32);

pub(crate) fn live(columns: LiveColumns) -> LiveJob {
    let (id, key, group, payload, rank, failures, code, state) = columns;
    LiveJob {
        id: JobId::new(id),
        key,
        group,
        payload: value(&payload),
        priority: -rank,
        state: match state {
            0 => LiveState::Waiting,
            1 => LiveState::Ready,
            _ => LiveState::Running,
        },
        attempt: failures.cast_unsigned() + 1,
        code,
    }
}

/// What failed.sql and finished.sql answer, with times as the database has them.
pub(crate) type FinishedColumns<T> = (
    i64,
    Option<i64>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i16,
    i16,
    i16,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    T,
    T,
);

pub(crate) fn finished<T>(columns: FinishedColumns<T>, instant: fn(T) -> DateTime<Utc>) -> FinishedJob {
    let (
        id,
        parent,
        kind,
        key,
        group,
        payload,
        result,
        outcome,
        failures,
        crashes,
        cost,
        worker,
        code,
        message,
        created,
        finished,
    ) = columns;
    let json = |text: Option<String>| text.as_deref().map_or(Value::Null, value);
    FinishedJob {
        id: JobId::new(id),
        parent: parent.map(JobId::new),
        kind,
        key,
        group,
        payload: json(payload),
        result: json(result),
        outcome: outcome_of(outcome.into()),
        failures: failures.cast_unsigned(),
        crashes: crashes.cast_unsigned(),
        cost: cost.max(0).cast_unsigned(),
        worker,
        code,
        message,
        created_at: instant(created),
        finished_at: instant(finished),
    }
}

pub(crate) fn settled<T>(columns: SettledColumns<T>, token: fn(T) -> Uuid) -> SettledRow {
    let (id, text, outcome, wait_us) = columns;
    let outcome = outcome.map(outcome_of);
    SettledRow { key: KeyRow { id, token: token(text) }, outcome, wait_us }
}

pub(crate) fn outcome_of(number: i32) -> Outcome {
    match number {
        0 => Outcome::Succeeded,
        1 => Outcome::Failed,
        _ => Outcome::Cancelled,
    }
}

/// A stored payload. The queue wrote it, so it is JSON, unless somebody edited the table by hand; then the worker that
/// looks for a field in it will say so, which is better than a queue that stands still.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// What enqueue.sql answers: id, kind, key.
pub(crate) type AddedColumns = (i64, String, Option<String>);

/// A lock, as it is asked for or proved.
#[derive(Clone, Copy, Debug)]
pub struct LockRow<'a> {
    pub name: &'a str,
    pub holder: &'a str,
    pub token: Uuid,
    pub lease_us: i64,
}

/// Which jobs.
#[derive(Clone, Debug)]
pub struct SelectRow<'a> {
    pub ids: Option<Vec<i64>>,
    pub kind: Option<&'a str>,
    pub group: Option<&'a str>,
    pub code: Option<&'a str>,
}

impl<'a> From<&'a Select> for SelectRow<'a> {
    fn from(select: &'a Select) -> Self {
        Self {
            ids: select.jobs.as_ref().map(|jobs| jobs.iter().map(|id| id.number()).collect()),
            kind: select.kind.as_deref(),
            group: select.group.as_deref(),
            code: select.code.as_deref(),
        }
    }
}

/// What cancel.sql answers: ended, asked, in between.
pub(crate) fn cancelled((ended, asked, between): (i64, i64, i64)) -> (Cancelled, u64) {
    let count = |count: i64| count.max(0).cast_unsigned();
    (Cancelled { ended: count(ended), asked: count(asked) }, count(between))
}

/// A budget and its rate.
#[derive(Clone, Copy, Debug)]
pub struct BudgetRow<'a> {
    pub name: &'a str,
    pub interval_us: i64,
    pub burst: i32,
    pub hold_us: i64,
    pub day_limit: Option<i64>,
}

/// What reserve.sql answers: tokens, how long they are good, when to ask again, ticket.
pub(crate) type GrantRow = (i64, i64, i64, i64);

/// What budget.sql answers, with times as the database has them.
pub(crate) type BudgetColumns<T> = (i64, Option<T>, i64, Option<i64>);

pub(crate) fn budget<T>(columns: BudgetColumns<T>, instant: fn(T) -> DateTime<Utc>) -> BudgetState {
    let (available, blocked_until, spent_today, day_limit) = columns;
    BudgetState {
        available: u32::try_from(available).unwrap_or(0),
        blocked_until: blocked_until.map(instant),
        spent_today: spent_today.max(0).cast_unsigned(),
        day_limit: day_limit.map(|limit| limit.max(0).cast_unsigned()),
    }
}

/// What attempts.sql answers, with times as the database has them.
pub(crate) type AttemptColumns<T> = (i16, String, String, Option<String>, T, T);

pub(crate) fn attempt<T>(columns: AttemptColumns<T>, instant: fn(T) -> DateTime<Utc>) -> Attempt {
    let (attempt, worker, code, message, started, finished) = columns;
    Attempt {
        attempt: attempt.cast_unsigned(),
        worker,
        code,
        message,
        started_at: instant(started),
        finished_at: instant(finished),
    }
}

/// What ledger.sql answers, with times as the database has them.
pub(crate) type LedgerColumns<T> = (T, String, Option<String>, Option<i64>, Option<i64>, i64);

pub(crate) fn ledger_line<T>(columns: LedgerColumns<T>, instant: fn(T) -> DateTime<Utc>) -> LedgerLine {
    let (hour, kind, group, succeeded, failed, cost) = columns;
    let count = |count: Option<i64>| count.unwrap_or(0).max(0).cast_unsigned();
    LedgerLine {
        hour: instant(hour),
        kind,
        group,
        succeeded: count(succeeded),
        failed: count(failed),
        cost: count(Some(cost)),
    }
}

/// What caps.sql answers: kind, group, limit, running.
pub(crate) fn cap((kind, group, limit, running): (String, String, i32, i64)) -> Cap {
    let scope = match (kind.is_empty(), group.is_empty()) {
        (true, true) => Scope::All,
        (false, _) => Scope::Kind(kind),
        (true, false) => Scope::Group(group),
    };
    Cap::new(scope, limit.max(0).cast_unsigned(), running.max(0).cast_unsigned())
}

/// What waiting.sql answers, with times as the database has them.
pub(crate) type WaitingColumns<T> = (Option<String>, bool, i64, T);

pub(crate) fn waiting<T>(columns: WaitingColumns<T>, instant: fn(T) -> DateTime<Utc>) -> Waiting {
    let (group, is_due, jobs, first_at) = columns;
    Waiting { group, is_due, jobs: jobs.max(0).cast_unsigned(), first_at: instant(first_at) }
}

/// A worker that shows itself.
#[derive(Clone, Debug)]
pub struct WorkerRow<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub host: &'a str,
    pub pid: i64,
    pub version: &'a str,
    /// A JSON array.
    pub kinds: String,
    pub running: i64,
    pub lease_us: i64,
}

impl<'a> WorkerRow<'a> {
    pub(crate) fn checked(worker: &'a Presence) -> Result<Self> {
        check::text("worker.name", &worker.name, 128)?;
        check::told("worker.host", &worker.host, 255)?;
        check::told("worker.version", &worker.version, 64)?;
        for (place, kind) in worker.kinds.iter().enumerate() {
            check::kind(&format!("worker.kinds[{place}]"), kind)?;
        }
        Ok(Self {
            id: worker.id.0,
            name: &worker.name,
            host: &worker.host,
            pid: worker.pid.into(),
            version: &worker.version,
            kinds: Value::from(worker.kinds.clone()).to_string(),
            running: worker.running.into(),
            lease_us: check::lease("worker.lease", worker.lease)?,
        })
    }
}

/// What workers.sql answers, with ids and times as the database has them.
pub(crate) type WorkerColumns<I, T> = (I, String, String, i64, String, String, i64, T, T, bool);

pub(crate) fn worker<I, T>(
    columns: WorkerColumns<I, T>,
    id: fn(I) -> Uuid,
    instant: fn(T) -> DateTime<Utc>,
) -> WorkerState {
    let (own, name, host, pid, version, kinds, running, started, seen, is_alive) = columns;
    WorkerState {
        id: WorkerId(id(own)),
        name,
        host,
        pid: u32::try_from(pid).unwrap_or(0),
        version,
        kinds: serde_json::from_str(&kinds).unwrap_or_default(),
        running: running.max(0).cast_unsigned(),
        started_at: instant(started),
        seen_at: instant(seen),
        is_alive,
    }
}
