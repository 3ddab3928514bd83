use crate::{Faults, Window};

/// What the catalog's verbs return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the catalog did not do what it was asked. Nothing half done is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed: the same again may succeed if [`barkeep_database::Error::is_transient`] says so.
    #[error("the catalog's database failed")]
    Database(#[from] barkeep_database::Error),
    /// The definition cannot be kept filled.
    #[error(transparent)]
    Invalid(#[from] Faults),
    /// The setting cannot be kept.
    #[error("invalid setting {name:?}: {why}")]
    InvalidSetting {
        /// The setting's name.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// The stored definition holds time that the new one leaves out.
    #[error("{name} would be narrowed from {stored} to {asked}; say that this is meant, or choose another name")]
    WouldNarrow {
        /// The definition's name.
        name: String,
        /// The window that is stored.
        stored: Window,
        /// The window that was to take its place.
        asked: Window,
    },
    /// The tables hold something that barkeep does not write.
    #[error("the catalog's tables were changed by other hands: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
}

impl Error {
    /// The stable code that is logged, stored and counted.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Database(error) => error.code(),
            Self::Invalid(_) | Self::InvalidSetting { .. } | Self::WouldNarrow { .. } => "VALIDATION_ERROR",
            Self::Corrupt { .. } => "CORRUPT_DATA",
        }
    }

    /// Whether the database has no space left: the same call may succeed once somebody has freed some.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_full())
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::Invalid(_) | Self::InvalidSetting { .. } | Self::WouldNarrow { .. } | Self::Corrupt { .. } => false,
        }
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string() }
    }
}

/// What a driver said, as what the caller can do about it. No conversion by `?`: that would show the driver to callers.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn failed(error: sqlx::Error) -> Error {
    Error::Database(error.into())
}
