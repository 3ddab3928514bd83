use barkeep_types::{Series, TimeRange};
use chrono::{DateTime, Utc};

/// What the bar store's verbs return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the bar store did not do what it was asked. Nothing half done is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed: the same again may succeed if [`barkeep_database::Error::is_transient`] says so.
    #[error("the bar store's database failed")]
    Database(#[from] barkeep_database::Error),
    /// A page cannot prove what nobody asked for: a fault in the caller.
    #[error("invalid commit: {series} is proved over {proved}, but only {asked} was asked for")]
    InvalidCommit {
        /// The series.
        series: Series,
        /// What the page was said to prove.
        proved: TimeRange,
        /// What it was asked for.
        asked: TimeRange,
    },
    /// The page's lease is not held, or no more: whoever has it now does the work.
    #[error("the lease of job {job} was lost; nothing of the page was written")]
    LeaseLost {
        /// Whose lease.
        job: i64,
    },
    /// What was known at an instant is asked of a store that did not keep former values then.
    #[error("former values of bars are {}, but asked for at {asked}", kept(.since))]
    NoHistory {
        /// The instant.
        asked: DateTime<Utc>,
        /// Since when former values are kept; `None` if they are not.
        since: Option<DateTime<Utc>>,
    },
    /// The tables hold something that barkeep does not write.
    #[error("the bar store's tables were changed by other hands: {what}")]
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
            Self::InvalidCommit { .. } => "VALIDATION_ERROR",
            Self::LeaseLost { .. } => "LEASE_LOST",
            Self::NoHistory { .. } => "NO_HISTORY",
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
            Self::InvalidCommit { .. } | Self::LeaseLost { .. } | Self::NoHistory { .. } | Self::Corrupt { .. } => {
                false
            }
        }
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string() }
    }
}

fn kept(since: &Option<DateTime<Utc>>) -> String {
    since.map_or_else(|| "not kept".to_owned(), |since| format!("kept since {since}"))
}

/// What a driver said, as what the caller can do about it. No conversion by `?`: that would show the driver to callers.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn failed(error: sqlx::Error) -> Error {
    Error::Database(error.into())
}

/// What the server itself said, if it was the server who refused.
#[cfg(feature = "postgres")]
pub(crate) fn refusal(error: &Error) -> Option<&(dyn sqlx::error::DatabaseError + 'static)> {
    let Error::Database(barkeep_database::Error::Refused(source)) = error else { return None };
    source.downcast_ref::<sqlx::Error>()?.as_database_error()
}
