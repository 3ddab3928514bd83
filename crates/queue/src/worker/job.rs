use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::SetOnce;

use crate::{Completion, Failure, Lease, Release};

/// A job that is being worked on.
#[derive(Clone, Debug)]
pub struct Job {
    // Apart, since the worker keeps the signals until the ending is written, and need not keep the payload.
    lease: Arc<Lease>,
    signals: Arc<Signals>,
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
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease: Arc::new(lease), signals: Arc::default() }
    }

    pub(super) fn signals(&self) -> &Arc<Signals> {
        &self.signals
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
        self.signals.spent.fetch_add(cost, Ordering::Relaxed);
    }

    /// What the try has cost so far.
    pub fn spent(&self) -> u64 {
        self.signals.spent()
    }

    /// Waits until the job should stop, and says why.
    pub async fn stopped(&self) -> StopReason {
        self.signals.told.wait().await;
        self.signals.reason()
    }

    /// Why the job should stop, if it should.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.signals.told.get().map(|()| self.signals.reason())
    }
}

impl Deref for Job {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        &self.lease
    }
}

/// What a worker and a running job tell each other.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// That the job should stop.
    told: SetOnce<()>,
    /// Why, if not because the worker is to.
    why: OnceLock<StopReason>,
    /// What the try has cost so far.
    spent: AtomicU64,
}

impl Signals {
    /// Tells the job to stop. Of two reasons the first counts; but a worker that is to stop is the least of them.
    pub(super) fn stop(&self, reason: StopReason) {
        if reason != StopReason::Stopping {
            let _ = self.why.set(reason);
        }
        let _ = self.told.set(());
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    fn reason(&self) -> StopReason {
        self.why.get().copied().unwrap_or(StopReason::Stopping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_told_to_stop_with_its_worker_still_learns_that_its_lease_was_lost() {
        let signals = Signals::default();
        signals.stop(StopReason::Stopping);
        signals.told.wait().await;
        assert_eq!(signals.reason(), StopReason::Stopping);
        signals.stop(StopReason::Lost);
        signals.stop(StopReason::Cancelled);
        assert_eq!(signals.reason(), StopReason::Lost);
    }
}
