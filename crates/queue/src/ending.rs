use serde_json::Value;
use std::time::Duration;

use crate::{Backoff, LeaseKey, NewJob};

/// A job that was done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Completion {
    /// The lease under which it was done.
    pub lease: LeaseKey,
    /// What came of it, kept in the history. `Value::Null` by default.
    pub result: Value,
    /// What it cost, in units of the caller's choice (requests, say), kept in the history and the ledger:
    /// 4,294,967,295 at most.
    pub cost: u64,
    /// What was left undone: added in the same transaction, with this job as their parent. They may use this job's key again.
    pub rest: Vec<NewJob>,
}

impl Completion {
    /// A job done, with nothing to say about it.
    pub fn new(lease: LeaseKey) -> Self {
        Self { lease, result: Value::Null, cost: 0, rest: Vec::new() }
    }

    /// Keeps `result` in the history.
    #[must_use]
    pub fn with_result(self, result: Value) -> Self {
        Self { result, ..self }
    }

    /// Keeps `cost` in the history.
    #[must_use]
    pub fn with_cost(self, cost: u64) -> Self {
        Self { cost, ..self }
    }

    /// Puts back what was left undone.
    #[must_use]
    pub fn with_rest(self, rest: Vec<NewJob>) -> Self {
        Self { rest, ..self }
    }
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The lease under which it failed.
    pub lease: LeaseKey,
    /// A stable upper-case code, by which failures are counted and retried. 1 to 64 bytes.
    pub code: String,
    /// For people. Cut at 2,000 bytes; a NUL becomes U+FFFD, since reporting a failure must not fail.
    pub message: String,
    /// What is to happen to the job.
    pub then: Then,
    /// What the try cost all the same, kept in the ledger: 4,294,967,295 at most.
    pub cost: u64,
}

/// What is to happen to a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Then {
    /// Try again after a wait that doubles with every failure, unless this was the last attempt.
    Backoff(Backoff),
    /// Try again when exactly this much time has passed, unless this was the last attempt.
    After(Duration),
    /// Never try again.
    Discard,
}

impl Failure {
    /// A failure to be tried again with the default [`Backoff`].
    pub fn new(lease: LeaseKey, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { lease, code: code.into(), message: message.into(), then: Then::Backoff(Backoff::default()), cost: 0 }
    }

    /// Says what is to happen to the job.
    #[must_use]
    pub fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    /// Keeps `cost` in the ledger.
    #[must_use]
    pub fn with_cost(self, cost: u64) -> Self {
        Self { cost, ..self }
    }
}

/// A try that ended without a verdict: its job goes back, and no attempt is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// The lease that is given up.
    pub lease: LeaseKey,
    /// How long nobody may claim the job: not at all by default.
    pub wait: Duration,
    /// What the try cost all the same, kept in the ledger: 4,294,967,295 at most.
    pub cost: u64,
}

impl Release {
    /// A job to be claimed again at once.
    pub fn new(lease: LeaseKey) -> Self {
        Self { lease, wait: Duration::ZERO, cost: 0 }
    }

    /// Lets nobody claim the job before so much time has passed.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Keeps `cost` in the ledger.
    #[must_use]
    pub fn with_cost(self, cost: u64) -> Self {
        Self { cost, ..self }
    }
}

/// What a try has cost so far, told while it runs: [`Queue::spend`](crate::Queue::spend).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spending {
    /// The lease under which it runs.
    pub lease: LeaseKey,
    /// In all: 4,294,967,295 at most.
    pub cost: u64,
}

impl Spending {
    /// So much, in all, under this lease.
    pub fn new(lease: LeaseKey, cost: u64) -> Self {
        Self { lease, cost }
    }
}

/// What a failure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The job will be tried again.
    Retrying {
        /// How long it waits first.
        wait: Duration,
    },
    /// The job has ended: that was the last attempt, or it was discarded.
    Failed,
    /// The job has ended: its cancellation had been asked for.
    Cancelled,
    /// The lease had been lost, and nothing was changed.
    Lost,
}

/// What [`reap`](crate::Queue::reap) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reaped {
    /// Jobs whose lease had run out and which wait for a worker again.
    pub returned: u64,
    /// Jobs ended because too many workers had died with them, or whose cancellation had been asked for.
    pub ended: u64,
}
