use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::Definition;

/// What an upsert did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// There was no definition of that name.
    Created,
    /// The one that was there said something else.
    Updated,
    /// It said the same, and was left alone.
    Unchanged,
}

/// One entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// The definition's name.
    pub name: String,
    /// What was done to it.
    pub kind: ChangeKind,
    /// What it said before; `None` if it was created.
    pub before: Option<Definition>,
    /// What it said afterwards; `None` if it was removed.
    pub after: Option<Definition>,
}

/// What was done to a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// It was replaced.
    Updated,
    /// It was enabled.
    Enabled,
    /// It was disabled.
    Disabled,
    /// It was removed.
    Removed,
}

/// A text that names no kind of change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid kind of change {0:?}: expected created, updated, enabled, disabled or removed")]
pub struct InvalidChangeKind(pub String);

impl ChangeKind {
    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for ChangeKind {
    type Err = InvalidChangeKind;

    fn from_str(text: &str) -> Result<Self, InvalidChangeKind> {
        [Self::Created, Self::Updated, Self::Enabled, Self::Disabled, Self::Removed]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| InvalidChangeKind(text.to_owned()))
    }
}
