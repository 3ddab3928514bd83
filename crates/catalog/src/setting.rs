use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Result, Upserted};

/// A value that may be changed while the program runs: a pace, a horizon, a switch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// Its name: 1 to 64 letters, digits, `_`, `-` or `.`. Case counts.
    pub name: String,
    /// What it is set to.
    pub value: Value,
    /// When it was set, by the database's clock.
    pub set_at: DateTime<Utc>,
    /// Who set it, as they called themselves.
    pub by: String,
}

/// One entry of the log of settings.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SettingChange {
    /// The change's number; see [`SettingsBook::settings_revision`].
    pub revision: u64,
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// The setting's name.
    pub name: String,
    /// Who changed it, as they called themselves.
    pub by: String,
    /// What it was before; `None` if it was not set.
    pub before: Option<Value>,
    /// What it was afterwards; `None` if it was unset.
    pub after: Option<Value>,
}

/// Settings that every process of an installation shares, and may change while it runs.
///
/// The book knows no names and no defaults: what a value means, and what holds while none is set, is up to whoever
/// reads it. A value comes back exactly as it was set.
///
/// # Contract
///
/// - Every verb is one transaction, together with its entry in the log. What changes nothing is not logged.
/// - Writers may overlap: each change has a number of its own, and the later one counts.
/// - A name is 1 to 64 letters, digits, `_`, `-` or `.`; `by` is 1 to 128 bytes of plain text; a value takes up to
///   65,536 bytes as JSON and nests up to 100 deep. `null` is a value.
#[async_trait]
pub trait SettingsBook: Debug + Send + Sync + 'static {
    /// What is set under that name.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn setting(&self, name: &str) -> Result<Option<Value>>;

    /// Everything that is set, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn settings(&self) -> Result<Vec<Setting>>;

    /// Sets a value, in place of the one that was there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting), [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn set(&self, name: &str, value: &Value, by: &str) -> Result<Upserted>;

    /// Takes a value away, so that the reader's default holds again; tells whether there was one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting), [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn unset(&self, name: &str, by: &str) -> Result<bool>;

    /// The number of the latest change of any setting; 0 before the first. It only rises, and is cheap to ask for: who
    /// remembers it knows when to read again.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn settings_revision(&self) -> Result<u64>;

    /// The latest `limit` entries of the log of settings, latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn setting_changes(&self, limit: usize) -> Result<Vec<SettingChange>>;
}

const _: fn(&dyn SettingsBook) = |_| {}; // Stays usable as `dyn SettingsBook`.
