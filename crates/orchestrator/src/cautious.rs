//! The queue as this process' worker sees it, which looks out for a database that has no space left, and counts leases.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use barkeep_queue::{
    Claim, Completion, Error, Extension, Failure, JobId, Lease, LeaseKey, NewJob, Presence, Queue, Reaped, Release,
    Result, Spending, Verdict, WorkerId,
};

use crate::space::{Claimable, Writer, ended, ran_out, tried_with};
use crate::work::Fatal;
use crate::{Orchestrator, SliceJob, metrics};

/// What to do when the database has no space left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// Claim nothing until there is some: nobody may be there to start the program again.
    Wait,
    /// Say so and stop: somebody is waiting for an answer.
    Stop,
}

/// Claims nothing while the database is full, but for one slice now and then.
#[derive(Clone, Debug)]
pub(crate) struct Cautious {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) orchestrator: Orchestrator,
    pub(crate) when_full: WhenFull,
    pub(crate) fatal: Fatal,
}

impl Cautious {
    /// Hands an answer on, and looks whether it says that there is no space.
    async fn looked_at<T>(&self, writer: Writer, answer: Result<T>) -> Result<T> {
        match answer {
            Err(error) if error.is_full() => {
                // Errors cannot be copied: this one for whoever is told, and the same again for whoever asked.
                let again = Error::from(barkeep_database::Error::Full(innermost(&error).into()));
                self.is_full(writer, error.into()).await;
                Err(again)
            }
            answer => answer,
        }
    }

    /// There is no space. Answers whether to wait for some.
    pub(crate) async fn is_full(&self, writer: Writer, error: crate::Error) -> bool {
        match self.when_full {
            WhenFull::Wait => ran_out(&self.orchestrator, writer, &error).await,
            WhenFull::Stop => self.fatal.happened(error),
        }
        self.when_full == WhenFull::Wait
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Queue for Cautious {
    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>> {
        let claimable = self.orchestrator.space().claimable();
        let asked = match claimable {
            Claimable::Any => claim.clone(),
            // Only those bring bars.
            Claimable::One if claim.kind == SliceJob::KIND => claim.clone().with_limit(1),
            Claimable::One | Claimable::None => return Ok(Vec::new()),
        };
        let leases = match self.looked_at(Writer::Work, self.queue.claim(&asked).await).await {
            // Looked for again when it is time to.
            Err(error) if error.is_full() && self.when_full == WhenFull::Wait => return Ok(Vec::new()),
            leases => leases?,
        };
        if claimable == Claimable::One {
            tried_with(&self.orchestrator, leases.first().map(Lease::key)).await;
        }
        Ok(leases)
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<LeaseKey>> {
        let lost = self.looked_at(Writer::Ending, self.queue.complete(done).await).await?;
        let keys: Vec<LeaseKey> = done.iter().map(|done| done.lease).collect();
        metrics::leases_lost(lost.len());
        ended(&self.orchestrator, &keys, true).await;
        Ok(lost)
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<Verdict>> {
        let verdicts = self.looked_at(Writer::Ending, self.queue.fail(failures).await).await?;
        metrics::leases_lost(verdicts.iter().filter(|verdict| **verdict == Verdict::Lost).count());
        let keys: Vec<LeaseKey> = failures.iter().map(|failure| failure.lease).collect();
        ended(&self.orchestrator, &keys, false).await;
        Ok(verdicts)
    }

    async fn release(&self, releases: &[Release]) -> Result<Vec<LeaseKey>> {
        let lost = self.looked_at(Writer::Ending, self.queue.release(releases).await).await?;
        metrics::leases_lost(lost.len());
        let keys: Vec<LeaseKey> = releases.iter().map(|release| release.lease).collect();
        ended(&self.orchestrator, &keys, false).await;
        Ok(lost)
    }

    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
        self.queue.enqueue(jobs).await
    }

    async fn extend(&self, leases: &[LeaseKey], lease: Duration) -> Result<Vec<Extension>> {
        self.queue.extend(leases, lease).await
    }

    async fn spend(&self, spendings: &[Spending]) -> Result<()> {
        self.queue.spend(spendings).await
    }

    async fn reap(&self) -> Result<Reaped> {
        self.queue.reap().await.inspect(|reaped| metrics::reaped(*reaped))
    }

    async fn show_worker(&self, worker: &Presence) -> Result<()> {
        self.queue.show_worker(worker).await
    }

    async fn forget_worker(&self, id: WorkerId) -> Result<()> {
        self.queue.forget_worker(id).await
    }
}
