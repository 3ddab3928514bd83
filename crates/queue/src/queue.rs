use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Claim, Completion, Extension, Failure, JobId, Lease, LeaseKey, NewJob, Presence, Reaped, Release, Result, Spending,
    Verdict, WorkerId,
};

/// A durable queue of jobs, each done at least once.
///
/// # Contract
///
/// - A job is leased to one holder at a time. A lease that ran out may be taken back by [`reap`](Self::reap); from then on its
///   key proves nothing, and whatever its holder asks changes nothing and is answered as lost.
/// - Every method is one transaction over all the jobs it was given, in any number: it happens wholly or not at all. An error
///   of the database leaves open *whether* it happened; asking again is safe, as a key is spent by its first use.
/// - All times are of the database's clock. Callers give durations only, so their own clocks may be wrong.
/// - A lost lease among many does not keep the others from being served.
/// - A clone of an implementation is a handle to the same queue.
#[async_trait]
pub trait Queue: Debug + Send + Sync + 'static {
    /// Adds jobs. The answer has an id for each of them, or `None` where a job of that kind and key is live already.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) if a job breaks a rule of [`NewJob`]: none of them is added then.
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>>;

    /// Leases jobs whose time has come: the highest priority first, then the oldest.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a lease of no length or a name that breaks a rule of [`Claim`];
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>>;

    /// Makes leases hold for `lease` from now; the answer says, in the order asked, what became of each.
    ///
    /// A lease that ran out but was not yet taken back is held again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a lease of no length;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn extend(&self, leases: &[LeaseKey], lease: Duration) -> Result<Vec<Extension>>;

    /// Ends jobs that were done, and adds what they left undone. Answers the leases that had been lost.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) if a result or a rest breaks a rule: nothing is completed then;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn complete(&self, done: &[Completion]) -> Result<Vec<LeaseKey>>;

    /// Ends tries that failed: their jobs wait for another try, or end. Says, in the order asked, which.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a code that breaks a rule of [`Failure`];
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn fail(&self, failures: &[Failure]) -> Result<Vec<Verdict>>;

    /// Gives jobs back: a graceful stop, or a snooze. No attempt is used up; what the tries cost is booked.
    /// A job whose cancellation was asked for ends instead. Answers the leases that had been lost.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a wait that cannot be stored;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn release(&self, releases: &[Release]) -> Result<Vec<LeaseKey>>;

    /// Notes down what tries have cost so far, each in all: booked by [`reap`](Self::reap) if their leases run out, as nobody
    /// else can tell then. An ending brings a cost of its own, and this is forgotten. Lost leases are passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn spend(&self, spendings: &[Spending]) -> Result<()>;

    /// Takes back leases that ran out. Anybody may do so at any time; workers do so now and then.
    ///
    /// The job waits for a worker again and its crashes rise by one; the fifth ends it with the code `CRASHED`, as a job that
    /// kills its workers would otherwise do so for ever. What the try had cost when it was last told is booked.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn reap(&self) -> Result<Reaped>;

    /// Notes down that a worker lives, for people who look at [`Inspect::workers`](crate::Inspect::workers), and forgets those
    /// that died more than a day ago. Nothing else depends on it; a queue that keeps no such list need not do anything.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a text that breaks a rule of [`Presence`];
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn show_worker(&self, _worker: &Presence) -> Result<()> {
        Ok(())
    }

    /// Takes a worker off the list: it has stopped in good order.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn forget_worker(&self, _id: WorkerId) -> Result<()> {
        Ok(())
    }
}

const _: fn(&dyn Queue) = |_| {}; // Stays usable as `dyn Queue`.
