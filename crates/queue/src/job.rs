use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the queue calls a job. Ids rise with time and are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(i64);

impl JobId {
    /// The id with this number, as a person typed it or another system stored it.
    pub fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number itself.
    pub fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A job to be enqueued.
///
/// ```
/// use barkeep_queue::NewJob;
/// use serde_json::json;
///
/// let job = NewJob::new("thumbnail", json!({"image": 7})).with_key("image-7").with_priority(10);
/// assert_eq!(job.max_attempts, 5);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewJob {
    /// What sort of work it is; workers claim by it. 1 to 64 bytes.
    pub kind: String,
    /// Names the work: while a job of this kind and key is live, a second one is not added. None:
    /// never a duplicate. At most 512 bytes.
    pub key: Option<String>,
    /// What the worker needs to know. At most 1 MiB as JSON text.
    pub payload: Value,
    /// Higher is sooner; equal priorities are served by age. 0 by default.
    pub priority: i16,
    /// Who or what the job belongs to, for pausing, caps and the cost ledger. At most 128 bytes.
    pub group: Option<String>,
    /// When it may first be claimed.
    pub start: Start,
    /// How many failures end it: 5 by default, at least 1.
    pub max_attempts: u16,
}

/// When a job may first be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// At once.
    #[default]
    Now,
    /// When so much time has passed on the database's clock.
    After(Duration),
    /// At an instant of the database's clock; one that has passed means now.
    At(DateTime<Utc>),
}

impl NewJob {
    /// A job of this kind: no key, priority 0, claimable at once, 5 attempts.
    pub fn new(kind: impl Into<String>, payload: Value) -> Self {
        Self { kind: kind.into(), key: None, payload, priority: 0, group: None, start: Start::Now, max_attempts: 5 }
    }

    /// Makes the job unique by `key` among the live jobs of its kind.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Serves the job before those of lower priority.
    #[must_use]
    pub fn with_priority(self, priority: i16) -> Self {
        Self { priority, ..self }
    }

    /// Puts the job in a group.
    #[must_use]
    pub fn with_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }

    /// Keeps the job from being claimed before `start`.
    #[must_use]
    pub fn with_start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Ends the job after so many failures.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u16) -> Self {
        Self { max_attempts, ..self }
    }
}
