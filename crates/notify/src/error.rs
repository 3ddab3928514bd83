/// A foreign error, so that the API stays the same when a dependency changes.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a notifier returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a notice was not delivered. Holds neither the address nor a secret: addresses of webhooks often are secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The channel cannot be used as it is set up.
    #[error("the notifier is not set up well: {0}")]
    Setup(&'static str),
    /// The other side does not want the notice; sending it again will not help.
    #[error("the receiver refuses the notice with status {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The other side could not be reached, or could not take it for now.
    #[error("the receiver is unavailable")]
    Unavailable(#[source] BoxError),
}

impl Error {
    /// The stable code, for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setup(_) => "NOTIFIER_SETUP",
            Self::Refused { .. } => "NOTICE_REFUSED",
            Self::Unavailable(_) => "NOTIFIER_UNAVAILABLE",
        }
    }

    /// Whether the same notice may be delivered later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Setup(_) | Self::Refused { .. } => false,
        }
    }
}
