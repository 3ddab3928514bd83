use std::fmt::Debug;

use async_trait::async_trait;

use crate::{JobId, Result, Scope};

/// What people do to a queue.
#[async_trait]
pub trait Control: Debug + Send + Sync + 'static {
    /// Cancels live jobs. Those that no worker has end at once; of those that run, the workers are told at their next
    /// [`extend`](crate::Queue::extend), and however such a job ends then, unless it is completed, it ends as cancelled.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn cancel(&self, which: &Select) -> Result<Cancelled>;

    /// Gives live jobs another priority, and answers how many had one to change.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a priority below -32,767;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn reprioritise(&self, which: &Select, priority: i16) -> Result<u64>;

    /// Gives jobs that failed all their attempts back, to be claimed at once under the same ids, and answers how many.
    /// A job whose key is live again stays where it is. Cancelled jobs are left alone.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn retry_failed(&self, which: &Select) -> Result<u64>;

    /// Keeps jobs from being claimed until they are resumed; those that run go on. Stays in force for jobs to come.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a name that no job could have;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn pause(&self, what: &Pause) -> Result<()>;

    /// Ends a pause, and answers whether it was in force. Another pause may still hold the same jobs.
    ///
    /// # Errors
    ///
    /// As for [`pause`](Self::pause).
    async fn resume(&self, what: &Pause) -> Result<bool>;

    /// The pauses in force.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn paused(&self) -> Result<Vec<Pause>>;

    /// Lets no more than `limit` jobs run at once, over all processes; `None` lifts the cap. Stays in force for jobs to come.
    ///
    /// What runs already goes on, also above a new limit. A job runs from its claim until it is completed, given back or
    /// taken back. Jobs that do not fit under their caps hold up no others. Of the caps on a job each holds; see them, and
    /// what they hold back, by [`Inspect`](crate::Inspect).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a name that no job could have, or a limit above 2,147,483,647;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn set_cap(&self, scope: &Scope, limit: Option<u32>) -> Result<()>;
}

/// Which jobs: those that meet all the conditions given; without any, all there are.
///
/// ```
/// use barkeep_queue::Select;
///
/// let timed_out = Select::all().of_kind("slice").with_code("SERVICE_UNAVAILABLE");
/// assert_eq!(timed_out.group, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Select {
    /// Only these.
    pub jobs: Option<Vec<JobId>>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this group.
    pub group: Option<String>,
    /// Only those whose last failure had this code.
    pub code: Option<String>,
}

impl Select {
    /// Every job.
    pub fn all() -> Self {
        Self::default()
    }

    /// These jobs.
    pub fn jobs(jobs: impl IntoIterator<Item = JobId>) -> Self {
        Self { jobs: Some(jobs.into_iter().collect()), ..Self::default() }
    }

    /// Of them, those of this kind.
    #[must_use]
    pub fn of_kind(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// Of them, those of this group.
    #[must_use]
    pub fn of_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }

    /// Of them, those whose last failure had this code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }
}

/// What [`cancel`](Control::cancel) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Cancelled {
    /// Jobs that have ended.
    pub ended: u64,
    /// Running jobs whose workers will be told.
    pub asked: u64,
}

/// Jobs that are not to be claimed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Pause {
    /// All of a kind.
    Kind(String),
    /// All of a group, of whatever kind.
    Group(String),
}

impl Pause {
    /// Whether it holds jobs of this kind and group.
    pub fn covers(&self, kind: &str, group: Option<&str>) -> bool {
        match self {
            Self::Kind(held) => held == kind,
            Self::Group(held) => Some(held.as_str()) == group,
        }
    }
}
