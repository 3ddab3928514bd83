use std::io;
use std::path::PathBuf;

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program listens there: choose another port, or 0 for any free one.
    #[error("port {port} on 127.0.0.1 is in use; choose another, or 0 for any free one")]
    PortInUse {
        /// The port asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system refused to listen, for a reason other than a port in use.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A folder or file of recorded bars cannot be read.
    #[error("cannot read recorded bars at {}", .path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A folder holds no file named `<symbol>_<timeframe>.csv` or `.parquet`.
    #[error("no recorded bars in {}: expected files named <symbol>_<timeframe>.csv or .parquet", .path.display())]
    NoRecords {
        /// The folder.
        path: PathBuf,
    },
    /// A file of recorded bars does not hold bars.
    #[error("malformed recorded bars in {}:{line}: {reason}", .path.display())]
    MalformedRecord {
        /// The file.
        path: PathBuf,
        /// The line of a text or the row of a table, counted from 1; 0 if the file as a whole is meant, or its name.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PortInUse { .. } => "PORT_IN_USE",
            Self::Listen { .. } => "LISTEN_FAILED",
            Self::Unreadable { .. } => "UNREADABLE",
            Self::NoRecords { .. } => "NO_RECORDS",
            Self::MalformedRecord { .. } => "MALFORMED_RECORD",
        }
    }
}
