use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::rows::{ClaimRow, DoneRow, JobRow, KeyRow, SettleRow, SettledRow};
use crate::{FinishedJob, Lease, LiveJob, Result};

/// The statements of the queue, one method a file of SQL: all that a database has to bring. Each is one transaction.
///
/// `moved_us` is how far a test has moved the clock; see [`Clock`](crate::clock::Clock).
#[async_trait]
pub trait Statements: Clone + Debug + Send + Sync + 'static {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>>;
    /// Id, kind and key of those that are new.
    async fn enqueue(&self, moved_us: i64, jobs: &[JobRow<'_>]) -> Result<Vec<AddedColumns>>;
    async fn claim(&self, moved_us: i64, claim: &ClaimRow<'_>) -> Result<Vec<Lease>>;
    /// Those that stood, and whether to cancel.
    async fn extend(&self, moved_us: i64, keys: &[KeyRow], lease_us: i64) -> Result<Vec<(KeyRow, bool)>>;
    /// Those that stood. Adds the rest of these, by parent, in the same transaction.
    async fn complete(&self, moved_us: i64, done: &[DoneRow], rest: &[JobRow<'_>]) -> Result<Vec<KeyRow>>;
    /// Those that stood.
    async fn settle(&self, moved_us: i64, tries: &[SettleRow]) -> Result<Vec<SettledRow>>;
    async fn expired(&self, moved_us: i64, limit: i32) -> Result<Vec<KeyRow>>;
    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>>;
    /// Kind, state by number, jobs.
    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>>;
    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>>;
    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>>;
    /// Until when, if the lock was free.
    async fn lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<Option<DateTime<Utc>>>;
    /// Whether the lock was held.
    async fn extend_lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<bool>;
    /// Whether the lock was held.
    async fn unlock(&self, lock: &LockRow<'_>) -> Result<bool>;
}

/// What enqueue.sql answers.
pub(crate) type AddedColumns = (i64, String, Option<String>);

/// A lock, as it is asked for or proved.
#[derive(Clone, Copy, Debug)]
pub struct LockRow<'a> {
    pub name: &'a str,
    pub holder: &'a str,
    pub token: uuid::Uuid,
    pub lease_us: i64,
}

/// How many leases one call takes back.
pub(crate) const REAP_LIMIT: i32 = 1_000;
