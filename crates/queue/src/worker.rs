mod endings;
mod heart;
mod job;
mod patience;
mod runner;
mod shift;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{Bell, Completion, Failure, Queue, Release, Result};

pub use job::{Job, StopReason};
use shift::Shift;

/// What a worker does with a job.
///
/// Any `Fn(Job) -> impl Future<Output = Ending>` is one. The work runs at least once: a worker that dies, or that is cut
/// off from the database for longer than its lease, has its job given to another.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Does the job and says how it ended. A panic is a failure with the code `PANICKED`.
    async fn work(&self, job: Job) -> Ending;
}

#[async_trait]
impl<F, W> Work for F
where
    F: Fn(Job) -> W + Send + Sync + 'static,
    W: Future<Output = Ending> + Send,
{
    async fn work(&self, job: Job) -> Ending {
        self(job).await
    }
}

/// How a try at a job ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// The job was done: [`Job::done`].
    Done(Completion),
    /// The try failed: [`Job::failed`].
    Failed(Failure),
    /// The job goes back, to be claimed when the wait has passed, and no attempt is used up: [`Job::snoozed`].
    Snoozed(Release),
}

impl From<Completion> for Ending {
    fn from(completion: Completion) -> Self {
        Self::Done(completion)
    }
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Release> for Ending {
    fn from(release: Release) -> Self {
        Self::Snoozed(release)
    }
}

/// Claims jobs, works on many at once, and reports their endings in batches.
///
/// Any number of workers, in any number of processes, may share a queue. While jobs run their leases are extended, every
/// third of a lease; a job whose lease was lost, or whose cancellation was asked for, is told by [`Job::stopped`]. Leases
/// that others left behind are taken back now and then.
///
/// A transient error of the database is waited out, for any time, with the endings kept; so is a database that has no
/// space left, until the worker is told to stop.
#[derive(Clone)]
pub struct Worker {
    queue: Arc<dyn Queue>,
    heart: Arc<dyn Queue>,
    kinds: Vec<String>,
    work: Arc<dyn Work>,
    name: String,
    version: String,
    concurrency: u16,
    lease: Duration,
    poll: (Duration, Duration),
    bell: Bell,
    linger: Duration,
    grace: Duration,
}

/// What a worker did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Worked {
    /// Jobs done.
    pub done: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Jobs given back.
    pub snoozed: u64,
    /// Endings that came too late: the lease had been lost.
    pub lost: u64,
}

impl Worker {
    /// A worker for jobs of one kind: 10 at a time, leases of 60 s, 30 s to finish when told to stop.
    pub fn new(queue: Arc<dyn Queue>, kind: impl Into<String>, work: impl Work) -> Self {
        Self {
            heart: Arc::clone(&queue),
            queue,
            kinds: vec![kind.into()],
            work: Arc::new(work),
            name: format!("{}", std::process::id()),
            version: String::new(),
            concurrency: 10,
            lease: Duration::from_secs(60),
            poll: (Duration::from_millis(50), Duration::from_secs(2)),
            bell: Bell::new(),
            linger: Duration::from_millis(5),
            grace: Duration::from_secs(30),
        }
    }

    /// Works on jobs of this kind too; the kinds take turns. While others have jobs, a kind that had none is asked again
    /// after the longest wait of [`with_poll`](Self::with_poll).
    #[must_use]
    pub fn with_kind(mut self, kind: impl Into<String>) -> Self {
        self.kinds.push(kind.into());
        self
    }

    /// What people see in the queue; the process id by default.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The version of the program, for people who look at [`Inspect::workers`](crate::Inspect::workers).
    #[must_use]
    pub fn with_version(self, version: impl Into<String>) -> Self {
        Self { version: version.into(), ..self }
    }

    /// Works on up to so many jobs at once; at least one.
    #[must_use]
    pub fn with_concurrency(self, concurrency: u16) -> Self {
        Self { concurrency: concurrency.clamp(1, crate::check::MAX_CLAIM), ..self }
    }

    /// Leases jobs for this long at a time: how soon the jobs of a worker that died are taken over.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Asks an empty queue again after `first`, then after twice as long each time, up to `longest`.
    #[must_use]
    pub fn with_poll(self, first: Duration, longest: Duration) -> Self {
        Self { poll: (first, longest), ..self }
    }

    /// Asks an empty queue again when this bell is rung, too, and need not wait for its next poll.
    #[must_use]
    pub fn with_bell(self, bell: &Bell) -> Self {
        Self { bell: bell.clone(), ..self }
    }

    /// Waits up to `linger` for more endings before it reports them, and for more room before it claims: 5 ms by default.
    /// Not for endings when nothing else runs, nor longer than until enough have come.
    #[must_use]
    pub fn with_linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// Lets running jobs go on for up to `grace` when told to stop; then they are dropped and given back.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Extends leases through another handle, with connections of its own, so that no burst of other work can keep the
    /// heartbeats waiting.
    #[must_use]
    pub fn with_heartbeats_on(self, queue: Arc<dyn Queue>) -> Self {
        Self { heart: queue, ..self }
    }

    /// Works until `stop` is cancelled, and then until what runs has ended, `grace` at most. Nothing stays leased.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) if the queue refuses for good: access denied, an invalid kind or lease; what was running is
    /// given back first, if that is still possible. Or if the database is out of reach, or has no space, when the worker is
    /// to stop: then leases stay behind until they lapse.
    pub async fn run(&self, stop: CancellationToken) -> Result<Worked> {
        Shift::begin(self, stop).work().await
    }

    /// Works until none of its kinds has a job that can be claimed now.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub async fn run_until_idle(&self) -> Result<Worked> {
        Shift::begin(self, CancellationToken::new()).until_idle().work().await
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Worker")
            .field("name", &self.name)
            .field("kinds", &self.kinds)
            .field("concurrency", &self.concurrency)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
