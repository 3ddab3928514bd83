use std::error::Error as StdError;

use barkeep_types::{Series, Symbol};

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
    /// A definition's batches are larger than a request may be.
    #[error("definition {name:?} has batches of {size} symbols, and the vendor takes {most} a request at most")]
    Batch {
        /// Its name.
        name: String,
        /// The size that it asks for.
        size: u32,
        /// The most symbols that a request may name.
        most: usize,
    },
    /// A setting is out of its range.
    #[error("invalid setting {name}: expected {expected}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// The vendor neither lists the symbol nor ever did.
    #[error("the vendor knows no symbol {0}")]
    UnknownSymbol(Symbol),
    /// The vendor refuses the series, and it is asked for no more until it is forgiven.
    #[error("the vendor refuses {series}: {reason}")]
    Refused {
        /// The series.
        series: Series,
        /// The stable code of the refusal.
        code: String,
        /// The vendor's reason.
        reason: String,
    },
    /// The vendor did not say what it knows beside bars.
    #[error("the vendor's reference data are not to be had")]
    Reference(#[source] barkeep_provider::Error),
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
    pub fn code(&self) -> &str {
        match self {
            Self::Credentials(error) | Self::Vendor(error) | Self::Reference(error) => error.code(),
            Self::Definition { .. } | Self::Batch { .. } | Self::Setting { .. } => "VALIDATION_ERROR",
            Self::UnknownSymbol(_) => "SYMBOL_NOT_FOUND",
            Self::Refused { code, .. } => code,
            Self::Queue(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Catalog(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::MissingFeature(_) => "MISSING_FEATURE",
        }
    }

    /// Whether the database has no space left: the same call may succeed once somebody has freed some.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Queue(error) => error.is_full(),
            Self::Store(error) => error.is_full(),
            Self::Catalog(error) => error.is_full(),
            Self::Database(error) => error.is_full(),
            _ => false,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Credentials(_)
            | Self::Vendor(_)
            | Self::Definition { .. }
            | Self::Batch { .. }
            | Self::Setting { .. }
            | Self::UnknownSymbol(_)
            | Self::Refused { .. }
            | Self::MissingFeature(_) => false,
            Self::Reference(error) => error.retry() != barkeep_provider::Retry::Never,
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
