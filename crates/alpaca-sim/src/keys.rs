//! Who may ask.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::wire::Request;

/// Which credentials are accepted.
pub(crate) enum Keys {
    Any,
    Only { id: String, secret: String },
}

/// What a request shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Without credentials, or half of them.
    Nobody,
    /// With credentials that are not accepted.
    Stranger,
    /// By the name under which requests are counted.
    Known(String),
}

impl Keys {
    /// Takes the vendor's two headers, HTTP Basic, and where any key goes, a bearer token.
    pub(crate) fn caller(&self, request: &Request) -> Caller {
        let pair = match (request.header("apca-api-key-id"), request.header("apca-api-secret-key")) {
            (Some(id), Some(secret)) => Some((id.to_owned(), secret.to_owned())),
            _ => request.header("authorization").and_then(authorization),
        };
        match (pair, self) {
            (None, _) => Caller::Nobody,
            (Some((id, _)), Self::Any) => Caller::Known(id),
            (Some(shown), Self::Only { id, secret }) if (&shown.0, &shown.1) == (id, secret) => Caller::Known(shown.0),
            (Some(_), Self::Only { .. }) => Caller::Stranger,
        }
    }
}

fn authorization(header: &str) -> Option<(String, String)> {
    match header.split_once(' ')? {
        ("Bearer", token) => Some(("oauth".to_owned(), token.to_owned())),
        ("Basic", pair) => {
            let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
            pair.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        }
        _ => None,
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Any => "Any",
            Self::Only { .. } => "Only { .. }",
        })
    }
}
