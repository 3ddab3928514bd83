use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use barkeep_queue::{
    Claim, Completion, Error, Extension, Failure, JobId, Lease, LeaseKey, MemoryQueue, NewJob, Queue, Reaped, Release,
    Result, Spending, Verdict,
};

/// A queue whose database is out of reach for the first so many calls that extend or complete.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: MemoryQueue,
    faults: AtomicU32,
}

impl Faulty {
    pub(crate) fn failing(inner: MemoryQueue, calls: u32) -> Self {
        Self { inner, faults: AtomicU32::new(calls) }
    }

    fn reach(&self) -> Result<()> {
        let left = self.faults.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(Error::Database(barkeep_database::Error::TimedOut { limit: Duration::from_secs(1) })),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Queue for Faulty {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
        self.inner.enqueue(jobs).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>> {
        self.inner.claim(claim).await
    }

    async fn extend(&self, leases: &[LeaseKey], lease: Duration) -> Result<Vec<Extension>> {
        self.reach()?;
        self.inner.extend(leases, lease).await
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<LeaseKey>> {
        self.reach()?;
        self.inner.complete(done).await
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<Verdict>> {
        self.inner.fail(failures).await
    }

    async fn release(&self, releases: &[Release]) -> Result<Vec<LeaseKey>> {
        self.inner.release(releases).await
    }

    async fn spend(&self, spendings: &[Spending]) -> Result<()> {
        self.inner.spend(spendings).await
    }

    async fn reap(&self) -> Result<Reaped> {
        self.inner.reap().await
    }
}
