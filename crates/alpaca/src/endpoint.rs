//! Which servers may be given the credentials.

use url::{Host, Url};

use crate::ConfigError;

/// A server that requests go to: a scheme, a host and a port, perhaps with a path in front of the API's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    // Invariant: http or https, with a host and without user info, query and fragment; https unless on loopback.
    base: Url,
}

impl Endpoint {
    /// Alpaca's market data.
    pub(crate) fn data() -> Self {
        Self::of_alpaca("https://data.alpaca.markets")
    }

    /// Alpaca's trading, whose calendar and assets are of use.
    pub(crate) fn trading() -> Self {
        Self::of_alpaca("https://api.alpaca.markets")
    }

    /// The same for keys that trade on paper.
    pub(crate) fn paper() -> Self {
        Self::of_alpaca("https://paper-api.alpaca.markets")
    }

    fn of_alpaca(url: &str) -> Self {
        Self { base: Url::parse(url).expect("a URL") }
    }

    /// Reads a base URL. Only hosts of Alpaca, those in `allowed` and loopback are taken, and plain HTTP on loopback
    /// alone.
    pub(crate) fn parse(text: &str, allowed: &[String]) -> Result<Self, ConfigError> {
        let invalid = ConfigError::InvalidUrl;
        let base = Url::parse(text).map_err(|_| invalid("expected something like https://data.alpaca.markets"))?;
        let host = base.host().ok_or(invalid("it names no host"))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(invalid("credentials do not belong into a URL"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(invalid("it has a query or a fragment"));
        }
        let is_local = is_loopback(&host);
        match base.scheme() {
            "https" => {}
            "http" if is_local => {}
            "http" => return Err(invalid("plain http is for loopback alone, use https")),
            _ => return Err(invalid("expected https")),
        }
        let name = host.to_string();
        let is_known = name == "alpaca.markets" || name.ends_with(".alpaca.markets");
        if is_known || is_local || allowed.iter().any(|host| host.eq_ignore_ascii_case(&name)) {
            Ok(Self { base })
        } else {
            Err(ConfigError::UnknownHost(name))
        }
    }

    /// The URL of a path under the base, which is given as its segments.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Whether it is this machine, where neither TLS nor a proxy is wanted.
    pub(crate) fn is_loopback(&self) -> bool {
        self.base.host().is_some_and(|host| is_loopback(&host))
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_alpaca_or_stay_here() {
        for text in [
            "https://data.alpaca.markets",
            "https://data.sandbox.alpaca.markets/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost:8080/prefix",
            "https://proxy.example",
            "https://PROXY.Example:8443/prefix",
        ] {
            for allowed in ["proxy.example", "Proxy.Example"] {
                assert!(Endpoint::parse(text, &[allowed.to_owned()]).is_ok(), "{text} {allowed}");
            }
        }
    }

    #[test]
    fn everything_else_is_refused_before_anything_is_sent() {
        for text in [
            "",
            "data.alpaca.markets",
            "/v2",
            "ftp://data.alpaca.markets",
            "file:///etc/passwd",
            "http://data.alpaca.markets",
            "http://169.254.169.254",
            "https://user:canary@data.alpaca.markets",
            "https://canary@127.0.0.1",
            "https://data.alpaca.markets?x=1",
            "https://data.alpaca.markets#x",
            "https://evil.example",
            "https://evil-alpaca.markets",
            "https://data.alpaca.markets.evil.example",
            "http://localhost.evil.example",
        ] {
            let error = Endpoint::parse(text, &[]).unwrap_err();
            assert_eq!(error.code(), "VALIDATION_ERROR", "{text}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn segments_are_encoded_and_cannot_leave_the_base() {
        let endpoint = Endpoint::parse("http://127.0.0.1:1/prefix/", &[]).unwrap();
        assert_eq!(endpoint.join(&["v2", "a/b?c"]).as_str(), "http://127.0.0.1:1/prefix/v2/a%2Fb%3Fc");
    }
}
