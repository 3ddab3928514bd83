//! The planner's lock: one planner at a time over all processes.

use std::sync::{Mutex, PoisonError};

use barkeep_queue::Lock;

use crate::{Orchestrator, Result};

const LOCK: &str = "planner";

/// The right to plan, until its [`end`](Self::end).
///
/// Who is interrupted while planning drops it instead, and cannot give the lock up then: that takes the database. It is noted
/// down, and given up by [`give_up_abandoned`], so that the next planner need not wait for the lease to run out.
#[derive(Debug)]
pub(crate) struct Planning<'a> {
    orchestrator: &'a Orchestrator,
    /// `None` only at the end.
    lock: Option<Lock>,
}

/// Locks of planners that were interrupted.
#[derive(Debug, Default)]
pub(crate) struct Abandoned(Mutex<Vec<Lock>>);

impl<'a> Planning<'a> {
    /// Takes the lock, unless somebody else holds it. Who dies holding it keeps the others out for a lease.
    pub(crate) async fn begin(orchestrator: &'a Orchestrator) -> Result<Option<Self>> {
        give_up_abandoned(orchestrator).await?;
        let settings = orchestrator.settings();
        let lock = orchestrator.backend().locks.lock(LOCK, &settings.name, settings.lease).await?;
        Ok(lock.map(|lock| Self { orchestrator, lock: Some(lock) }))
    }

    /// Holds it for another lease. False if it was lost: somebody else plans by now.
    pub(crate) async fn extend(&self) -> Result<bool> {
        let Some(lock) = &self.lock else { return Ok(false) };
        let lease = self.orchestrator.settings().lease;
        Ok(self.orchestrator.backend().locks.extend_lock(lock, lease).await?)
    }

    /// Gives it up.
    pub(crate) async fn end(mut self) -> Result<()> {
        if let Some(lock) = &self.lock {
            self.orchestrator.backend().locks.unlock(lock).await?;
        }
        self.lock = None;
        Ok(())
    }
}

impl Drop for Planning<'_> {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            self.orchestrator.abandoned().add(lock);
        }
    }
}

impl Abandoned {
    fn add(&self, lock: Lock) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lock);
    }

    fn take(&self) -> Vec<Lock> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gives up what interrupted planners of this process held.
pub(crate) async fn give_up_abandoned(orchestrator: &Orchestrator) -> Result<()> {
    for lock in orchestrator.abandoned().take() {
        // Lost again here, it lapses.
        orchestrator.backend().locks.unlock(&lock).await?;
    }
    Ok(())
}
