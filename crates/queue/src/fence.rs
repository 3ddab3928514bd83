use std::sync::Arc;

use uuid::Uuid;

use crate::LeaseKey;

/// How another component of the same database asks, in a transaction of its own, whether a lease is still held: what it
/// writes is then committed under the lease, or not at all.
///
/// On PostgreSQL the lease cannot be taken back between the question and the end of the transaction; on SQLite neither, if
/// the transaction was begun with `BEGIN IMMEDIATE`. So keep it short. On PostgreSQL the asking role needs the right to
/// update `queue_lease`.
///
/// ```
/// # async fn example(lease: &barkeep_queue::Lease, transaction: &mut sqlx::SqliteConnection) -> sqlx::Result<()> {
/// if let Some(fence) = lease.fence() {
///     let ask = sqlx::AssertSqlSafe(fence.sql().to_owned());
///     let held = sqlx::query(ask).bind(fence.job()).bind(fence.token()).fetch_optional(transaction).await?;
///     assert!(held.is_some(), "else somebody else has the job: write nothing");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    sql: Arc<str>,
    lease: LeaseKey,
}

impl Fence {
    pub(crate) fn new(sql: Arc<str>, lease: LeaseKey) -> Self {
        Self { sql, lease }
    }

    /// A statement that answers one row if the lease is held by the database's clock, and none otherwise. `$1` is the
    /// [job](Self::job), `$2` the [token](Self::token). Names the schema that the queue is in.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The job's id: `BIGINT` or `INTEGER`.
    pub fn job(&self) -> i64 {
        self.lease.id.number()
    }

    /// The claim's token: `UUID` on PostgreSQL, its 16 bytes as a `BLOB` on SQLite.
    pub fn token(&self) -> Uuid {
        self.lease.token.0
    }
}
