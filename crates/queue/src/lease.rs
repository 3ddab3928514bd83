use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{Fence, JobId};

/// Which jobs a worker asks for, and for how long.
///
/// ```
/// use barkeep_queue::Claim;
/// use std::time::Duration;
///
/// let claim = Claim::new("thumbnail", "worker-1").with_limit(100).with_lease(Duration::from_secs(30));
/// assert_eq!(claim.limit, 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The kind of jobs to claim. A worker of several kinds claims each in turn, so that no kind can starve another.
    pub kind: String,
    /// Who claims, for people who look at the queue; it proves nothing. At most 128 bytes.
    pub worker: String,
    /// The most jobs to lease: 1 by default, at most 10,000.
    pub limit: u16,
    /// How long the leases hold unless they are extended: 60 s by default.
    pub lease: Duration,
}

impl Claim {
    /// One job of this kind, for 60 seconds.
    pub fn new(kind: impl Into<String>, worker: impl Into<String>) -> Self {
        Self { kind: kind.into(), worker: worker.into(), limit: 1, lease: Duration::from_secs(60) }
    }

    /// Asks for up to `limit` jobs.
    #[must_use]
    pub fn with_limit(self, limit: u16) -> Self {
        Self { limit, ..self }
    }

    /// Asks for leases of this length.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }
}

/// A job that a worker may do until the lease runs out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Lease {
    /// The job's id.
    pub id: JobId,
    /// Drawn at random for each claim: the fence.
    pub token: Token,
    /// The job's kind.
    pub kind: String,
    /// The job's key, if it has one.
    pub key: Option<String>,
    /// The job's group, if it has one.
    pub group: Option<String>,
    /// What to do.
    pub payload: Value,
    /// The job's priority.
    pub priority: i16,
    /// Which try this is, from 1. Only failures count, so a released or crashed job keeps its number.
    pub attempt: u16,
    /// How many failures end the job.
    pub max_attempts: u16,
    /// How many workers died, or lost their lease, while they had this job.
    pub crashes: u16,
    /// When the lease runs out, by the database's clock.
    pub until: DateTime<Utc>,
    /// How long the job waited for a worker since its time had come, the latest wait alone.
    pub waited: Duration,
    /// What asks the database about it; none for a queue in memory.
    pub(crate) fence: Option<Arc<str>>,
}

impl Lease {
    /// What proves the lease to the queue.
    pub fn key(&self) -> LeaseKey {
        LeaseKey { id: self.id, token: self.token }
    }

    /// What a transaction on the same database needs to ask whether the lease is still held; none for a queue in memory.
    pub fn fence(&self) -> Option<Fence> {
        self.fence.clone().map(|sql| Fence::new(sql, self.key()))
    }

    /// Whether another failure ends the job.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }
}

/// Proof of a lease. Every verb that ends or extends one asks for it, and ignores a key that was superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseKey {
    /// The job.
    pub id: JobId,
    /// The claim.
    pub token: Token,
}

/// The random half of a [`LeaseKey`].
///
/// An attempt number would repeat if a claim's commit were lost with its server, and would then let a worker that woke up
/// late end a job that is somebody else's. 122 random bits do not repeat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub(crate) Uuid);

impl Token {
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({})", self.0)
    }
}

/// What became of a lease that was to be extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extension {
    /// It holds for the time asked, from now.
    Held,
    /// It holds, but somebody asked to cancel the job: stop, then [`release`](crate::Queue::release) it.
    CancelRequested,
    /// It ran out and was taken back: stop, and write nothing more.
    Lost,
}
