use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

/// Looking after a queue's past.
#[async_trait]
pub trait Upkeep: Debug + Send + Sync + 'static {
    /// Forgets jobs that ended longer ago than `keep`, with their attempts, and answers how many it deleted one by one.
    ///
    /// Counts and the ledger remember them. On PostgreSQL the history is partitioned by month; a month that has passed whole
    /// is dropped at once, uncounted. To be called now and then, by anybody: once a day will do.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a `keep` of more than ten years;
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn prune(&self, keep: Duration) -> Result<u64>;
}
