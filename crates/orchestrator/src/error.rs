use std::error::Error as StdError;

/// What the orchestrator's verbs return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the orchestrator stopped. What single slices fail with is in the reports instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The vendor refuses the credentials: nothing can be fetched until they are replaced.
    #[error("the vendor refuses the credentials; nothing more can be fetched until they are replaced")]
    Credentials(#[source] barkeep_provider::Error),
    /// The vendor cannot be used: it is not who it should be.
    #[error("the vendor cannot be used")]
    Vendor(#[source] barkeep_provider::Error),
    /// The definition cannot be kept filled.
    #[error("definition {name:?} cannot be kept filled")]
    Definition {
        /// Its name.
        name: String,
        /// Every fault.
        #[source]
        faults: barkeep_catalog::Faults,
    },
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] barkeep_queue::Error),
    /// The bar store failed.
    #[error(transparent)]
    Store(#[from] barkeep_store::Error),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] barkeep_catalog::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] barkeep_database::Error),
    /// The database is of a kind that this program was built without.
    #[error("this program was built without {0}: build it with the feature of that name")]
    MissingFeature(&'static str),
}

impl Error {
    /// The stable code that is logged, stored and counted.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Credentials(error) | Self::Vendor(error) => error.code(),
            Self::Definition { .. } => "VALIDATION_ERROR",
            Self::Queue(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Catalog(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::MissingFeature(_) => "MISSING_FEATURE",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Credentials(_) | Self::Vendor(_) | Self::Definition { .. } | Self::MissingFeature(_) => false,
            Self::Queue(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
            Self::Catalog(error) => error.is_transient(),
            Self::Database(error) => error.is_transient(),
        }
    }
}

/// An error and its causes, outermost first: `the store failed: the database has no space left: disk full`.
pub fn in_one_line(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error as &dyn StdError), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
