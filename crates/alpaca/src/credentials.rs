use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::ConfigError;

/// The variables that may hold a key and its secret, best first.
const PAIRS: [(&str, &[&str]); 2] =
    [("APCA_API_KEY_ID", &["APCA_API_SECRET_KEY"]), ("ALPACA_API_KEY", &["ALPACA_API_SECRET", "ALPACA_SECRET_KEY"])];

/// An Alpaca key and its secret. Neither shows in `Debug`, in errors or in logs.
#[derive(Clone)]
pub struct Credentials {
    // Invariant: both can be sent as headers.
    key: SecretString,
    secret: SecretString,
}

impl Credentials {
    /// Takes a key and its secret; white space around them, as left by copying, is dropped.
    ///
    /// # Errors
    ///
    /// [`ConfigError::InvalidCredential`] if either could not be a key.
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self { key: sendable("key", key.into())?, secret: sendable("secret", secret.into())? })
    }

    /// Reads `APCA_API_KEY_ID` and `APCA_API_SECRET_KEY`, or else `ALPACA_API_KEY` and `ALPACA_API_SECRET` (also
    /// `ALPACA_SECRET_KEY`). A variable that is empty counts as not set.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoCredentials`] if none is set, [`ConfigError::HalfSet`] if the other half is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        for (key_name, secret_names) in PAIRS {
            let secret = secret_names.iter().find_map(|name| Some((*name, set(name)?)));
            match (set(key_name), secret) {
                (Some(key), Some((secret_name, secret))) => {
                    return Ok(Self { key: sendable(key_name, key)?, secret: sendable(secret_name, secret)? });
                }
                (Some(_), None) => {
                    return Err(ConfigError::HalfSet { present: key_name, missing: secret_names[0] });
                }
                (None, Some((present, _))) => {
                    return Err(ConfigError::HalfSet { present, missing: key_name });
                }
                (None, None) => {}
            }
        }
        Err(ConfigError::NoCredentials)
    }

    /// Whether the key is for trading on paper: those begin with `PK`.
    pub(crate) fn are_for_paper(&self) -> bool {
        self.key.expose_secret().starts_with("PK")
    }

    /// The headers that carry them, marked so that no layer below prints them.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [("apca-api-key-id", &self.key), ("apca-api-secret-key", &self.secret)] {
            if let Ok(mut value) = HeaderValue::from_str(value.expose_secret()) {
                value.set_sensitive(true);
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }
}

fn sendable(what: &'static str, text: String) -> Result<SecretString, ConfigError> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        Err(ConfigError::InvalidCredential(what))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Credentials, ConfigError> {
        Credentials::from_variables(|name| {
            variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn sent(variables: &[(&str, &str)]) -> (String, String) {
        let headers = from(variables).unwrap().headers();
        let value = |name| headers.get(name).unwrap().to_str().unwrap().to_owned();
        (value("apca-api-key-id"), value("apca-api-secret-key"))
    }

    #[test]
    fn the_first_pair_that_is_set_counts() {
        let (official, alias) = (
            [("APCA_API_KEY_ID", "k1"), ("APCA_API_SECRET_KEY", " s1\n")],
            [("ALPACA_API_KEY", "k2"), ("ALPACA_API_SECRET", "s2")],
        );
        assert_eq!(sent(&[official, alias].concat()), ("k1".to_owned(), "s1".to_owned()));
        assert_eq!(sent(&alias), ("k2".to_owned(), "s2".to_owned()));
        let other = [("ALPACA_API_KEY", "k3"), ("ALPACA_SECRET_KEY", "s3"), ("APCA_API_KEY_ID", "")];
        assert_eq!(sent(&other), ("k3".to_owned(), "s3".to_owned()));
    }

    #[test]
    fn nothing_and_half_of_it_are_told_apart_by_name() {
        assert_eq!(from(&[]).unwrap_err(), ConfigError::NoCredentials);
        assert_eq!(from(&[("APCA_API_KEY_ID", " ")]).unwrap_err(), ConfigError::NoCredentials);
        let error = from(&[("APCA_API_KEY_ID", "canary")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "half of the Alpaca credentials: APCA_API_KEY_ID is set, and APCA_API_SECRET_KEY is not"
        );
        assert_eq!(
            from(&[("ALPACA_API_SECRET", "canary")]).unwrap_err(),
            ConfigError::HalfSet { present: "ALPACA_API_SECRET", missing: "ALPACA_API_KEY" }
        );
    }

    #[test]
    fn what_no_header_may_carry_is_refused_without_being_shown() {
        for hostile in ["", "  ", "a\r\nhost: x", "ключ", "a b"] {
            let error = Credentials::new("key", hostile).unwrap_err();
            assert_eq!(error.to_string(), "secret is empty or has a character that no key has");
        }
    }

    #[test]
    fn neither_half_shows() {
        let credentials = Credentials::new("canary-key", "canary-secret").unwrap();
        let shown = format!("{credentials:?} {:?}", credentials.headers());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
