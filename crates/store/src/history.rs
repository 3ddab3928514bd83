use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};
use chrono::{DateTime, Utc};

use crate::Result;

/// The values that bars had before they were revised. Off unless switched on, and then nothing is written for it.
///
/// A bar has two times: when it traded, and when it became known. A study that must not look ahead asks for the bars
/// as they were known at an instant. What is known, and since when, is by the database's clock: that of the page's
/// commit, to the microsecond on PostgreSQL and to the millisecond on SQLite.
///
/// The switch is kept in the database, for all who write the same provider's bars.
#[async_trait]
pub trait History: Debug + Send + Sync + 'static {
    /// Keeps former values from now on; returns since when they are kept, which is earlier if they were kept already.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    async fn keep_history(&self) -> Result<DateTime<Utc>>;

    /// Deletes the former values, and keeps none from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    async fn forget_history(&self) -> Result<()>;

    /// The first `limit` bars of a series that start within `range`, as they were known at the instant `known_at`,
    /// earliest first. A bar that came later is not among them.
    ///
    /// # Errors
    ///
    /// [`Error::NoHistory`](crate::Error::NoHistory) if former values were not kept at that instant,
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn bars_as_of(
        &self,
        series: &Series,
        range: TimeRange,
        known_at: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Bar>>;
}

const _: fn(&dyn History) = |_| {}; // Stays usable as `dyn History`.
