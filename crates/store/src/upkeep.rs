use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::Series;
use chrono::{DateTime, Utc};

use crate::Result;

/// Looking after a store's past.
#[async_trait]
pub trait Upkeep: Debug + Send + Sync + 'static {
    /// Retains what starts at `since` or later, and forgets all bars before: their values, their former values, and that
    /// their time was covered. Whoever asks for that time again has it fetched again.
    ///
    /// On PostgreSQL bars are partitioned by calendar year (UTC): a year that has passed whole is dropped at once, unless
    /// another provider has bars in it. The rest, and all of it on SQLite, is deleted by the ten thousand, each time in a
    /// transaction of its own: one that is interrupted leaves bars that are not covered, and may be called again. A
    /// `since` at the beginning of a year costs least.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database); as busy, if readers were in the way of dropping a year: its bars are
    /// still there then, but not covered.
    async fn retain(&self, since: DateTime<Utc>) -> Result<Forgotten>;

    /// Takes bars of a series out and puts them into quarantine, in one transaction: wrong ones that other hands brought in.
    /// Coverage stays as it is, but for its count of bars; [`suspect`](crate::Store::suspect) time that is to be fetched
    /// again. Returns how many of the bars were there.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn withdraw(&self, series: &Series, bars: &[Withdrawal]) -> Result<u64>;
}

const _: fn(&dyn Upkeep) = |_| {}; // Stays usable as `dyn Upkeep`.

/// A bar that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Where it starts.
    pub start: DateTime<Utc>,
    /// Why it goes: kept with it in quarantine.
    pub reason: String,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Forgotten {
    /// How many years were dropped with whatever was in them.
    pub years: u64,
    /// How many bars were deleted one by one.
    pub bars: u64,
}
