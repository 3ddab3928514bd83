use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Completion, Failure, Lease, Release};

/// A job that is being worked on.
#[derive(Clone, Debug)]
pub struct Job {
    lease: Arc<Lease>,
    stop: Stop,
    spent: Spent,
}

/// Why a job should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The worker is to stop: finish soon, or give the rest back.
    Stopping,
    /// Somebody asked to cancel the job.
    Cancelled,
    /// The lease was lost: write nothing more.
    Lost,
}

impl Job {
    pub(super) fn new(lease: Lease, stop: Stop, spent: Spent) -> Self {
        Self { lease: Arc::new(lease), stop, spent }
    }

    /// The job was done, and cost what was [spent](Self::spend). Add a result, another cost, or what is left undone.
    pub fn done(&self) -> Completion {
        Completion::new(self.lease.key()).with_cost(self.spent())
    }

    /// The try failed, and cost what was spent. Add what is to happen then; a default backoff otherwise.
    pub fn failed(&self, code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure::new(self.lease.key(), code, message).with_cost(self.spent())
    }

    /// The job goes back, to be claimed when `wait` has passed, and uses up no attempt; the try cost what was spent.
    pub fn snoozed(&self, wait: Duration) -> Release {
        Release::new(self.lease.key()).with_wait(wait).with_cost(self.spent())
    }

    /// Counts what the try costs, as it goes: so it is booked whichever way the try ends, be it dropped, by a panic, or, as
    /// far as a heartbeat still told, with its worker.
    pub fn spend(&self, cost: u64) {
        self.spent.add(cost);
    }

    /// What the try has cost so far.
    pub fn spent(&self) -> u64 {
        self.spent.sum()
    }

    /// Waits until the job should stop, and says why.
    pub async fn stopped(&self) -> StopReason {
        self.stop.token.cancelled().await;
        self.stop.reason()
    }

    /// Why the job should stop, if it should.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop.token.is_cancelled().then(|| self.stop.reason())
    }
}

impl Deref for Job {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        &self.lease
    }
}

/// What a try has cost so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Spent(Arc<AtomicU64>);

impl Spent {
    fn add(&self, cost: u64) {
        self.0.fetch_add(cost, Ordering::Relaxed);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a job is told to stop, once.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
}

impl Stop {
    /// Stops with the worker, at the latest.
    pub(super) fn with(worker: &CancellationToken) -> Self {
        Self { token: worker.child_token(), reason: Arc::default() }
    }

    pub(super) fn because(&self, reason: StopReason) {
        // Only the first reason counts.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    fn reason(&self) -> StopReason {
        self.reason.get().copied().unwrap_or(StopReason::Stopping)
    }
}
