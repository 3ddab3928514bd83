#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::fmt::Debug;

use async_trait::async_trait;

mod change;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod database_catalog;
mod definition;
mod draft;
mod error;
mod faults;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod json;
mod pattern;
#[cfg(feature = "postgres")]
mod postgres;
pub mod presets;
mod rejection;
mod setting;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod statements;
pub mod universe;
mod window;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod write;

pub use change::{Change, ChangeKind, InvalidChangeKind, Upserted};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use database_catalog::DatabaseCatalog;
pub use definition::Definition;
pub use draft::Draft;
pub use error::{Error, Result};
pub use faults::{Fault, Faults};
pub use pattern::{InvalidPattern, Pattern};
#[cfg(feature = "postgres")]
pub use postgres::PostgresCatalog;
pub use rejection::{Rejection, Rejections};
pub use setting::{Setting, SettingChange, SettingsBook};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteCatalog;
pub use window::{Narrowing, Window};

/// Definitions: what is to be kept filled.
///
/// # Contract
///
/// - Every verb is one transaction: it happens wholly or not at all, together with its entry in the change log.
/// - What changes nothing is not logged: the same upsert again is [`Upserted::Unchanged`].
/// - A window is not narrowed unless the caller says so.
/// - Definitions come sorted by name.
#[async_trait]
pub trait Catalog: Debug + Send + Sync + 'static {
    /// Stores a definition under its name, in place of the one that was there.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every fault of the definition, [`Error::WouldNarrow`] if its window leaves out time that
    /// the stored one holds and `narrowing` does not allow that, or [`Error::Database`].
    async fn upsert(&self, definition: &Definition, narrowing: Narrowing) -> Result<Upserted>;

    /// The definition of that name, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn get(&self, name: &str) -> Result<Option<Definition>>;

    /// Every definition.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn list(&self) -> Result<Vec<Definition>>;

    /// Enables the definitions whose names match, and returns the names of those that were not enabled before.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn enable(&self, names: &Pattern) -> Result<Vec<String>>;

    /// Disables the definitions whose names match, and returns the names of those that were enabled before.
    ///
    /// Work already queued for them is not the catalog's: cancel it by the names returned.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn disable(&self, names: &Pattern) -> Result<Vec<String>>;

    /// Removes the definitions whose names match, and returns their names. Their bars stay.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn remove(&self, names: &Pattern) -> Result<Vec<String>>;

    /// The latest `limit` entries of the change log, latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], or [`Error::Corrupt`].
    async fn changes(&self, limit: usize) -> Result<Vec<Change>>;
}

const _: fn(&dyn Catalog) = |_| {}; // Stays usable as `dyn Catalog`.
