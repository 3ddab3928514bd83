use std::error::Error as StdError;

type Source = Box<dyn StdError + Send + Sync>;

/// What exports return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why bars did not get out. Files that were written before are whole; the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bars cannot be read: the same again may succeed if [`barkeep_store::Error::is_transient`] says so.
    #[error("bars cannot be read")]
    Store(#[from] barkeep_store::Error),
    /// A file or stream cannot be read or written.
    #[error("cannot read or write {path}")]
    Io {
        /// Which one, as a path within the destination.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A path within the destination leads out of it, or to something that is no file.
    #[error("{path} is a symbolic link, or no ordinary file or folder: remove it, and export again")]
    UnsafePath {
        /// The path.
        path: String,
    },
    /// The object store failed, or does not know the place.
    #[error("the object store failed at {path}")]
    ObjectStore {
        /// The object.
        path: String,
        /// Why.
        #[source]
        source: Source,
    },
    /// The place cannot be named so.
    #[error("invalid destination: {why}")]
    InvalidDestination {
        /// What is wrong with it.
        why: String,
    },
    /// The manifest is none, or was changed by other hands.
    #[error("the manifest of the export cannot be used: {what}; export into an empty place")]
    Manifest {
        /// What was found.
        what: String,
    },
    /// Arrow or Parquet refused the bars: a fault in barkeep.
    #[error("bars cannot be encoded")]
    Encoding(#[source] Source),
}

impl Error {
    /// The stable code that is logged, stored and counted.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "STORAGE_FULL",
            Self::Io { .. } => "EXPORT_IO_ERROR",
            Self::UnsafePath { .. } => "UNSAFE_PATH",
            Self::ObjectStore { .. } => "OBJECT_STORE_FAILED",
            Self::InvalidDestination { .. } => "INVALID_DESTINATION",
            Self::Manifest { .. } => "INVALID_MANIFEST",
            Self::Encoding(_) => "ENCODING_FAILED",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            // It has tried several times by itself.
            Self::ObjectStore { .. } => true,
            Self::Io { .. }
            | Self::UnsafePath { .. }
            | Self::InvalidDestination { .. }
            | Self::Manifest { .. }
            | Self::Encoding(_) => false,
        }
    }

    pub(crate) fn io(path: impl Into<String>, source: impl Into<std::io::Error>) -> Self {
        Self::Io { path: path.into(), source: source.into() }
    }

    pub(crate) fn encoding(source: impl Into<Source>) -> Self {
        Self::Encoding(source.into())
    }
}
