//! The statements of the queue, one method a file of SQL: all that a database has to bring. Each is one transaction.
//!
//! `moved_us` is how far a test has moved the clock; see [`Clock`](crate::clock::Clock).

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use barkeep_database::PoolWaits;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::blocker::Waiting;
use crate::rows::{
    BudgetRow, ClaimRow, DoneRow, GrantRow, JobRow, KeyRow, LeaseRow, LockRow, SelectRow, SettleRow, SettledRow,
    SpendRow, WorkerRow,
};
use crate::{Attempt, BudgetState, Cancelled, Cap, FinishedJob, LedgerLine, LiveJob, Result, WorkerState};

/// Everything a database has to bring.
pub trait Statements:
    JobStatements
    + InspectStatements
    + ControlStatements
    + LockStatements
    + BudgetStatements
    + WatchStatements
    + WorkerStatements
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
}

impl<D> Statements for D where
    D: JobStatements
        + InspectStatements
        + ControlStatements
        + LockStatements
        + BudgetStatements
        + WatchStatements
        + WorkerStatements
        + Clone
        + Debug
        + Send
        + Sync
        + 'static
{
}

#[async_trait]
pub trait JobStatements {
    /// See [`Fence::sql`](crate::Fence::sql).
    fn fence(&self) -> Arc<str>;
    /// Of each job in turn the id, if it is new.
    async fn enqueue(&self, moved_us: i64, jobs: &[JobRow<'_>]) -> Result<Vec<Option<i64>>>;
    /// In the order in which jobs are served.
    async fn claim(&self, moved_us: i64, claim: &ClaimRow<'_>) -> Result<Vec<LeaseRow>>;
    /// Those that stood, and whether to cancel.
    async fn extend(&self, moved_us: i64, keys: &[KeyRow], lease_us: i64) -> Result<Vec<(KeyRow, bool)>>;
    /// Those that stood. Adds what they left undone in the same transaction.
    async fn complete(&self, moved_us: i64, done: &[DoneRow], rest: &[(KeyRow, JobRow<'_>)]) -> Result<Vec<KeyRow>>;
    /// Those that stood.
    async fn settle(&self, moved_us: i64, tries: &[SettleRow]) -> Result<Vec<SettledRow>>;
    /// Those that still stand.
    async fn spend(&self, spendings: &[SpendRow]) -> Result<()>;
    async fn expired(&self, moved_us: i64, limit: i32) -> Result<Vec<KeyRow>>;
}

#[async_trait]
pub trait WorkerStatements {
    async fn show_worker(&self, moved_us: i64, worker: &WorkerRow<'_>) -> Result<()>;
    async fn forget_worker(&self, id: Uuid) -> Result<()>;
    async fn workers(&self, moved_us: i64) -> Result<Vec<WorkerState>>;
}

#[async_trait]
pub trait InspectStatements {
    async fn now(&self, moved_us: i64) -> Result<DateTime<Utc>>;
    async fn live(&self, moved_us: i64, kind: &str) -> Result<Vec<LiveJob>>;
    /// Kind, state by number, jobs.
    async fn counts(&self, moved_us: i64) -> Result<Vec<(String, i32, i64)>>;
    async fn caps(&self) -> Result<Vec<Cap>>;
    async fn waiting(&self, moved_us: i64, kind: &str) -> Result<Vec<Waiting>>;
    async fn failed(&self, kind: &str, limit: i64) -> Result<Vec<FinishedJob>>;
    async fn finished(&self, ids: &[i64]) -> Result<Vec<FinishedJob>>;
    async fn attempts(&self, id: i64) -> Result<Vec<Attempt>>;
    async fn ledger(&self, since: DateTime<Utc>) -> Result<Vec<LedgerLine>>;
    /// How many rows were deleted, up to the limit.
    async fn prune(&self, moved_us: i64, keep_us: i64, limit: i64) -> Result<u64>;
}

#[async_trait]
pub trait ControlStatements {
    /// Also how many were changing hands, and were neither cancelled nor asked.
    async fn cancel(&self, moved_us: i64, which: &SelectRow<'_>) -> Result<(Cancelled, u64)>;
    async fn reprioritise(&self, which: &SelectRow<'_>, rank: i16) -> Result<u64>;
    async fn retry_failed(&self, moved_us: i64, which: &SelectRow<'_>) -> Result<u64>;
    async fn pause(&self, kind: &str, group: &str) -> Result<()>;
    /// Whether it was paused.
    async fn resume(&self, kind: &str, group: &str) -> Result<bool>;
    /// Kind and group, one of them empty.
    async fn paused(&self) -> Result<Vec<(String, String)>>;
    /// Both names empty: all jobs.
    async fn set_cap(&self, kind: &str, group: &str, cap: Option<i32>) -> Result<()>;
}

#[async_trait]
pub trait LockStatements {
    /// Until when, if the lock was free.
    async fn lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<Option<DateTime<Utc>>>;
    /// Whether the lock was held.
    async fn extend_lock(&self, moved_us: i64, lock: &LockRow<'_>) -> Result<bool>;
    /// Whether the lock was held.
    async fn unlock(&self, lock: &LockRow<'_>) -> Result<bool>;
}

#[async_trait]
pub trait BudgetStatements {
    async fn set_budget(&self, moved_us: i64, budget: &BudgetRow<'_>) -> Result<()>;
    /// Nothing if there is no such budget.
    async fn reserve(&self, moved_us: i64, name: &str, wanted: i64) -> Result<Option<GrantRow>>;
    /// Whether there is such a budget.
    async fn give_back(&self, moved_us: i64, name: &str, tokens: i64, ticket: i64) -> Result<bool>;
    /// Whether there is such a budget.
    async fn block(&self, moved_us: i64, name: &str, time_us: i64) -> Result<bool>;
    async fn budget(&self, moved_us: i64, name: &str) -> Result<Option<BudgetState>>;
    /// Whether there is such a budget.
    async fn set_budget_of(&self, kind: &str, name: &str) -> Result<bool>;
    async fn clear_budget_of(&self, kind: &str) -> Result<()>;
    /// The kind's budget, if it is exhausted, and until when.
    async fn exhausted(&self, moved_us: i64, kind: &str) -> Result<Option<(String, DateTime<Utc>)>>;
}

/// Days since 1970, group, jobs, cost, expected cost.
pub(crate) type SpentColumns = (i64, Option<String>, i64, i64, i64);

#[async_trait]
pub trait WatchStatements {
    /// One JSON object.
    async fn vitals(&self, moved_us: i64, kind: &str) -> Result<String>;
    /// Days since 1970, group, jobs, cost, expected cost.
    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<SpentColumns>>;
    /// The note is JSON.
    async fn beat(&self, moved_us: i64, name: &str, holder: &str, note: &str) -> Result<()>;
    fn pool_waits(&self) -> PoolWaits;
}

/// How many leases one call takes back.
pub(crate) const REAP_LIMIT: i32 = 1_000;
