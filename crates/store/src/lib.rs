#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::{Bar, Series, TimeRange};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod answers;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod columns;
mod commit;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod compare;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod database_store;
mod error;
mod ext;
mod finding;
mod guard;
mod history;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod ledger;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod provider_name;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod reach;
mod resample;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row;
mod span;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod statements;
mod summary;
mod traces;
mod upkeep;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod write;

pub use commit::{Commit, Committed, Proof, Refused};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use database_store::DatabaseStore;
pub use error::{Error, Result};
pub use ext::StoreExt;
pub use finding::Finding;
pub use guard::Guard;
pub use history::History;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use provider_name::{InvalidProviderName, ProviderName};
pub use resample::Resampler;
pub use span::{Span, State, covered};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use summary::Summary;
pub use traces::{Moment, Rewrite, Traces};
pub use upkeep::{Forgotten, Upkeep, Withdrawal};

/// Bars, and the coverage that their pages proved.
///
/// # Contract
///
/// - Every verb is one transaction: it happens wholly or not at all. Bars and the coverage they prove are never apart.
/// - The same commit again writes nothing, not even a new version of a row.
/// - No verb of a store removes or hides a bar ([`Upkeep::retain`] does, when told to): what a later answer no longer has is kept and counted as [`Committed::absent`].
/// - A stored bar has passed [`Bar::check`]. What has not is put into quarantine, and its time is left suspect.
/// - Writers may overlap, in one process or many: none waits for ever, and the end is as if one had followed the other.
/// - Answers about several series come in the order of the question. A series never heard of is an empty answer.
/// - A store holds the bars of one provider: another provider's series of the same name are others.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Stores the bars of one page together with the coverage they prove.
    ///
    /// Bars in any order are accepted; of two bars with one start the last wins. Bars outside of [`Commit::asked`] are
    /// dropped, and impossible ones refused: both are counted, and the rest of the page is stored.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidCommit`] if a proof goes beyond what was asked, [`Error::LeaseLost`] if the page has a [`Guard`]
    /// whose lease is not held, and [`Error::Database`] if the database failed; nothing of the page is stored then.
    async fn commit(&self, commit: &Commit) -> Result<Committed>;

    /// Doubts what is covered within `range`, so that it is fetched again. What was never covered stays so.
    ///
    /// # Errors
    ///
    /// [`Error::Database`].
    async fn suspect(&self, series: &Series, range: TimeRange) -> Result<()>;

    /// What each series covers: its spans that overlap `within`, whole, earliest first, in one round trip for any number of
    /// series. [`TimeRange::ALWAYS`] asks for all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn coverage(&self, series: &[Series], within: TimeRange) -> Result<Vec<Vec<Span>>>;

    /// The first `limit` bars of a series that start within `range`, earliest first.
    ///
    /// [`StoreExt::stream`] has the whole range in bounded memory.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn bars(&self, series: &Series, range: TimeRange, limit: usize) -> Result<Vec<Bar>>;

    /// The latest bar of each series.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn latest(&self, series: &[Series]) -> Result<Vec<Option<Bar>>>;

    /// How many bars each series has, and over which time.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn summaries(&self, series: &[Series]) -> Result<Vec<Summary>>;

    /// Every series the store has heard of, sorted.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn series(&self) -> Result<Vec<Series>>;

    /// Proves that bars and coverage agree, or tells where they do not: in a store that other hands have changed.
    ///
    /// Reads every bar, and takes as long as that takes.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn check(&self) -> Result<Vec<Finding>>;

    /// What tells whether bars may have changed; `None` if the store cannot tell, and they must be read.
    fn traces(&self) -> Option<&dyn Traces> {
        None
    }
}

const _: fn(&dyn Store) = |_| {}; // Stays usable as `dyn Store`.
