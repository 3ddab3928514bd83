use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{Result, Token};

/// Named locks that live by leases on the database's clock: whoever dies holding one gives it up when the lease runs out.
///
/// Not session locks, so they work through a connection pooler and hold no connection. As with any lease, what is done under
/// one must bear being done twice.
#[async_trait]
pub trait Locks: Debug + Send + Sync + 'static {
    /// Takes the lock for `lease`, unless somebody holds it; `holder` says who, for people who look.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a name that is empty or longer than 128 bytes, or a lease of no length;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn lock(&self, name: &str, holder: &str, lease: Duration) -> Result<Option<Lock>>;

    /// Holds the lock for `lease` from now. False if it had been lost: stop.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
    async fn extend_lock(&self, lock: &Lock, lease: Duration) -> Result<bool>;

    /// Gives the lock up. False if it had been lost.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn unlock(&self, lock: &Lock) -> Result<bool>;
}

/// Proof of a lock that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lock {
    /// What is locked.
    pub name: String,
    /// Drawn at random whenever the lock is taken.
    pub token: Token,
    /// When the lease runs out, by the database's clock.
    pub until: DateTime<Utc>,
}
