/// What every call of the queue returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the queue did not do what it was asked. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked cannot be stored or makes no sense; asking again will not help.
    #[error("{what} {why}")]
    Invalid {
        /// Which part of it, with its place among many: `jobs[3].key`.
        what: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// The database could not answer. [`is_transient`](Self::is_transient) says whether asking again may help; it is unknown
    /// whether a change was made.
    #[error("the queue's database failed")]
    Database(#[from] barkeep_database::Error),
}

impl Error {
    /// A stable name to log, store and count.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "VALIDATION_ERROR",
            Self::Database(error) => error.code(),
        }
    }

    /// Whether the database has no space left: the same call may succeed once somebody has freed some.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_full())
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Invalid { .. } => false,
            Self::Database(error) => error.is_transient(),
        }
    }
}
