/// Why a client could not be set up. Names what is wrong, never a value that could be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No credentials in the environment.
    #[error(
        "no Alpaca credentials: set APCA_API_KEY_ID and APCA_API_SECRET_KEY (or ALPACA_API_KEY and ALPACA_API_SECRET)"
    )]
    NoCredentials,
    /// One half of the credentials.
    #[error("half of the Alpaca credentials: {present} is set, and {missing} is not")]
    HalfSet {
        /// The variable that is set.
        present: &'static str,
        /// The one that goes with it.
        missing: &'static str,
    },
    /// A key or a secret that cannot be sent: empty, or with a character that no HTTP header may have.
    #[error("{0} is empty or has a character that no key has")]
    InvalidCredential(&'static str),
    /// A text that is no URL of a server.
    #[error("invalid base URL: {0}")]
    InvalidUrl(&'static str),
    /// Credentials would go to a host that was not named as allowed.
    #[error("{0} is not a host of Alpaca; allow it with with_allowed_host first")]
    UnknownHost(String),
    /// A certificate that no authority could have.
    #[error("the authority's certificate is none, in DER")]
    InvalidCertificate,
}

impl ConfigError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCredentials | Self::HalfSet { .. } | Self::InvalidCredential(_) => "AUTHENTICATION_ERROR",
            Self::InvalidUrl(_) | Self::UnknownHost(_) | Self::InvalidCertificate => "VALIDATION_ERROR",
        }
    }
}
