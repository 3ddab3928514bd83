use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Debug;

use crate::{Cap, JobId, Outlook, Result, WorkerState};

/// Looking at a queue without changing it.
#[async_trait]
pub trait Inspect: Debug + Send + Sync + 'static {
    /// What the time is on the clock that the queue lives by: the database's.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn now(&self) -> Result<DateTime<Utc>>;

    /// Every live job of a kind, by id.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn live(&self, kind: &str) -> Result<Vec<LiveJob>>;

    /// How many jobs of each kind are in which state. Fast however many have finished.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn counts(&self) -> Result<BTreeMap<String, Counts>>;

    /// The caps in force, with their use.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn caps(&self) -> Result<Vec<Cap>>;

    /// The workers that run, and those that died within the last day, by start.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn workers(&self) -> Result<Vec<WorkerState>>;

    /// How many jobs of a kind could be claimed now, and what keeps the others from it.
    ///
    /// Its parts are looked at one after the other, so while the queue is busy they may differ by what happens in between.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a name that no kind could have;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn outlook(&self, kind: &str) -> Result<Outlook>;

    /// The jobs of a kind that failed or were cancelled, latest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn failed(&self, kind: &str, limit: u32) -> Result<Vec<FinishedJob>>;

    /// Those of these jobs that have ended and that the history still holds, by id.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn finished(&self, jobs: &[JobId]) -> Result<Vec<FinishedJob>>;

    /// The tries at a job that failed or crashed, in the order in which they ended.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>>;

    /// How many jobs ended, and what they cost, by hour, kind and group, in this order, from the hour of `since` on.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn ledger(&self, since: DateTime<Utc>) -> Result<Vec<LedgerLine>>;
}

/// Where a live job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LiveState {
    /// Waits for its time: delayed, or failed and to be tried again.
    Waiting,
    /// Waits for a worker.
    Ready,
    /// A worker has it.
    Running,
}

/// A job that has not ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LiveJob {
    /// The job's id.
    pub id: JobId,
    /// Its key, if it has one.
    pub key: Option<String>,
    /// Its group, if it has one.
    pub group: Option<String>,
    /// What is to be done.
    pub payload: Value,
    /// Its priority.
    pub priority: i16,
    /// Where it stands.
    pub state: LiveState,
    /// The try it is at, or will be at when claimed, from 1.
    pub attempt: u16,
    /// The code of its last failure, if it has failed.
    pub code: Option<String>,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// Its attempts were used up, it was discarded, or too many workers died with it; the code says which.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// A job that has ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FinishedJob {
    /// The job's id.
    pub id: JobId,
    /// The job that left this one undone, if one did.
    pub parent: Option<JobId>,
    /// Its kind.
    pub kind: String,
    /// Its key, if it had one.
    pub key: Option<String>,
    /// Its group, if it had one.
    pub group: Option<String>,
    /// What was to be done. `Value::Null` for a job that succeeded: its result says more.
    pub payload: Value,
    /// What came of it, if it succeeded.
    pub result: Value,
    /// How it ended.
    pub outcome: Outcome,
    /// How many of its tries failed.
    pub failures: u16,
    /// How many workers died with it.
    pub crashes: u16,
    /// What it cost, if it succeeded.
    pub cost: u64,
    /// Who had it last, if anybody had.
    pub worker: Option<String>,
    /// Why it ended, unless it succeeded: the code of the last failure, `CRASHED` or `CANCELLED`.
    pub code: Option<String>,
    /// The last failure, for people.
    pub message: Option<String>,
    /// When it was enqueued, by the database's clock.
    pub created_at: DateTime<Utc>,
    /// When it ended, by the database's clock.
    pub finished_at: DateTime<Utc>,
}

/// A try at a job that failed or crashed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which try it was, from 1. A crash does not count: the next try has the same number.
    pub attempt: u16,
    /// Who had the job.
    pub worker: String,
    /// Why it failed; `CRASHED` if the lease lapsed.
    pub code: String,
    /// The failure, for people.
    pub message: Option<String>,
    /// When the job was claimed, by the database's clock.
    pub started_at: DateTime<Utc>,
    /// When the try ended, by the database's clock.
    pub finished_at: DateTime<Utc>,
}

/// What ended in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerLine {
    /// The beginning of the hour.
    pub hour: DateTime<Utc>,
    /// The kind of the jobs.
    pub kind: String,
    /// Their group, if they had one.
    pub group: Option<String>,
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed or were cancelled, less those of them that were given back since.
    pub failed: u64,
    /// What all tries cost that ended in this hour.
    pub cost: u64,
}

/// How many jobs of a kind are in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Waiting for their time.
    pub waiting: u64,
    /// Waiting for a worker.
    pub ready: u64,
    /// With a worker.
    pub running: u64,
    /// Done.
    pub succeeded: u64,
    /// Ended without success.
    pub failed: u64,
    /// Ended because somebody said so.
    pub cancelled: u64,
}

impl Counts {
    /// The jobs that have not ended.
    pub fn live(&self) -> u64 {
        self.waiting + self.ready + self.running
    }
}
