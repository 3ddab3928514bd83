//! The statements of the catalog, one method a file of SQL: all that a database has to bring.

use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::Series;

use crate::Result;
use crate::json::ChangeRow;
use crate::rejection::RejectionRow;
use crate::settings::{SettingChangeRow, SettingRow};

/// A database that a catalog is kept in.
#[async_trait]
pub trait Statements: Clone + Debug + Send + Sync + 'static {
    /// What statements are run in.
    type Session: Session;

    /// A session that only reads.
    async fn look(&self) -> Result<Self::Session>;

    /// A session whose statements are one transaction.
    async fn begin(&self) -> Result<Self::Session>;

    /// Runs a whole verb within the timeout of this database; anew where others were in its way.
    async fn bounded<T, F>(&self, verb: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send;
}

/// Statements that run one after the other.
#[async_trait]
pub trait Session: DefinitionStatements + RejectionStatements + SettingStatements + Sized {
    /// Keeps what was done, and gives the connection back.
    async fn finish(self) -> Result<()>;

    /// Undoes what was done, and gives the connection back.
    async fn undo(self) -> Result<()>;
}

#[async_trait]
pub trait DefinitionStatements: Send {
    /// Begins a change: from here on no other writer is at it. Returns the change's number.
    async fn revise(&mut self) -> Result<i64>;
    async fn get(&mut self, name: &str) -> Result<Option<String>>;
    async fn list(&mut self) -> Result<Vec<String>>;
    async fn put(&mut self, row: &DefinitionRow<'_>) -> Result<()>;
    async fn delete(&mut self, name: &str) -> Result<()>;
    async fn log(&mut self, row: &EntryRow<'_>) -> Result<()>;
    async fn changes(&mut self, limit: i64) -> Result<Vec<ChangeRow>>;
}

#[async_trait]
pub trait RejectionStatements: Send {
    async fn reject(&mut self, series: &Series, code: &str, reason: &str) -> Result<()>;
    async fn rejections(&mut self) -> Result<Vec<RejectionRow>>;
    /// How many rows that took away.
    async fn forgive(&mut self, series: &Series) -> Result<u64>;
}

#[async_trait]
pub trait SettingStatements: Send {
    async fn setting(&mut self, name: &str) -> Result<Option<String>>;
    async fn settings(&mut self) -> Result<Vec<SettingRow>>;
    async fn set(&mut self, name: &str, json: &str, by: &str) -> Result<()>;
    async fn unset(&mut self, name: &str) -> Result<()>;
    async fn log_setting(&mut self, row: &SettingEntry<'_>) -> Result<()>;
    async fn settings_revision(&mut self) -> Result<i64>;
    async fn setting_changes(&mut self, limit: i64) -> Result<Vec<SettingChangeRow>>;
}

/// A definition on its way in.
#[derive(Clone, Debug)]
pub struct DefinitionRow<'a> {
    pub name: &'a str,
    pub enabled: bool,
    pub priority: i16,
    pub json: String,
}

/// An entry of the change log on its way in.
#[derive(Clone, Debug)]
pub struct EntryRow<'a> {
    pub revision: i64,
    pub name: &'a str,
    pub kind: &'static str,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// An entry of the log of settings on its way in.
#[derive(Clone, Copy, Debug)]
pub struct SettingEntry<'a> {
    pub revision: i64,
    pub name: &'a str,
    pub by: &'a str,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
}
