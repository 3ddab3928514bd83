use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Ending;
use crate::{Completion, Failure, Lease};

/// A job that is being worked on.
#[derive(Clone, Debug)]
pub struct Job {
    lease: Arc<Lease>,
    stop: Stop,
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
    pub(super) fn new(lease: Lease, stop: Stop) -> Self {
        Self { lease: Arc::new(lease), stop }
    }

    /// The job was done. Add a result, the cost, or what is left undone.
    pub fn done(&self) -> Completion {
        Completion::new(self.lease.key())
    }

    /// The try failed. Add what is to happen then; a default backoff otherwise.
    pub fn failed(&self, code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure::new(self.lease.key(), code, message)
    }

    /// The job goes back, to be claimed when `wait` has passed, and uses up no attempt.
    pub fn snoozed(&self, wait: Duration) -> Ending {
        Ending::Snoozed(wait)
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
