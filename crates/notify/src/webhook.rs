use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Certificate, Client, StatusCode, redirect, retry};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::{Host, Url};

use crate::public::{PublicOnly, is_public};
use crate::{Error, Notice, Notifier, Result};

/// The header that says when the notice was found, in seconds since 1970: signed along, so that old ones can be refused.
pub const TIMESTAMP_HEADER: &str = "barkeep-timestamp";
/// The header that proves who sent the notice: `v1=` and the HMAC-SHA256 of the timestamp, a full stop and the body, in hex.
pub const SIGNATURE_HEADER: &str = "barkeep-signature";

/// Posts notices as JSON, signed.
///
/// HTTPS only, but for loopback; no redirect is followed, no proxy used, and no address that is not the internet's is
/// called unless [allowed](WebhookOptions::allow_private_addresses). The receiver checks the signature with the secret that
/// both know:
///
/// ```text
/// barkeep-signature: v1=hex(hmac_sha256(secret, barkeep-timestamp + "." + body))
/// ```
#[derive(Clone)]
pub struct Webhook {
    client: Client,
    url: Url,
    secret: SecretString,
    retries: ExponentialBuilder,
}

/// How a [`Webhook`] is to work.
#[derive(Clone)]
pub struct WebhookOptions {
    url: String,
    secret: SecretString,
    timeout: Duration,
    retries: usize,
    first_wait: Duration,
    allow_private: bool,
}

impl Webhook {
    /// A webhook for `url`, with notices signed by `secret`: 10 s for an answer, three retries after 1, 2 and 4 s.
    pub fn options(url: impl Into<String>, secret: impl Into<String>) -> WebhookOptions {
        WebhookOptions {
            url: url.into(),
            secret: SecretString::from(secret.into()),
            timeout: Duration::from_secs(10),
            retries: 3,
            first_wait: Duration::from_secs(1),
            allow_private: false,
        }
    }

    async fn post(&self, notice: &Notice, body: &str) -> Result<()> {
        let timestamp = notice.at.timestamp().to_string();
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header(SIGNATURE_HEADER, signature(&self.secret, &timestamp, body))
            .header(TIMESTAMP_HEADER, timestamp)
            .body(body.to_owned());
        let response = request.send().await.map_err(|error| Error::Unavailable(Box::new(error.without_url())))?;
        let status = response.status();
        let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        if status.is_success() {
            Ok(())
        } else if status.is_server_error() || busy.contains(&status) {
            Err(Error::Unavailable(format!("status {}", status.as_u16()).into()))
        } else {
            // A redirect too: it could lead anywhere.
            Err(Error::Refused { status: status.as_u16() })
        }
    }
}

#[async_trait]
impl Notifier for Webhook {
    async fn notify(&self, notice: &Notice) -> Result<()> {
        let body = serde_json::to_string(notice).expect("texts and times are JSON");
        (|| self.post(notice, &body)).retry(self.retries).when(Error::is_transient).await
    }
}

impl WebhookOptions {
    /// Waits so long for an answer.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Tries so many times more, the first time after `first_wait`, then after twice as long each time.
    #[must_use]
    pub fn with_retries(self, retries: usize, first_wait: Duration) -> Self {
        Self { retries, first_wait, ..self }
    }

    /// Calls this machine and its network too; over plain HTTP this machine only.
    #[must_use]
    pub fn allow_private_addresses(self) -> Self {
        Self { allow_private: true, ..self }
    }

    /// Checks everything and makes the webhook.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] for an address that is none, is not HTTPS, or is not the internet's, and for an empty secret.
    pub fn build(self) -> Result<Webhook> {
        let url = Url::parse(&self.url).map_err(|_| Error::Setup("the address is not a URL"))?;
        let host = url.host().ok_or(Error::Setup("the address has no host"))?.to_owned();
        let is_loopback = is_loopback(&host);
        if !(url.scheme() == "https" || (url.scheme() == "http" && is_loopback)) {
            return Err(Error::Setup("the address is not HTTPS"));
        }
        if !self.allow_private && (is_loopback || literal(&host).is_some_and(|address| !is_public(address))) {
            return Err(Error::Setup("the address is private; allow private addresses if that is meant"));
        }
        if self.secret.expose_secret().is_empty() {
            return Err(Error::Setup("the secret is empty"));
        }
        let retries = ExponentialBuilder::default().with_min_delay(self.first_wait).with_max_times(self.retries);
        Ok(Webhook { client: self.client(is_loopback)?, url, secret: self.secret, retries })
    }

    fn client(&self, is_loopback: bool) -> Result<Client> {
        // One provider for the whole process; whoever came first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            let builder = Client::builder()
                .user_agent(concat!("barkeep/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .https_only(!is_loopback)
                // A proxy would look names up by itself.
                .no_proxy()
                .timeout(self.timeout);
            if self.allow_private { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) }
        };
        let bundled = || {
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            roots.filter_map(|root| Certificate::from_der(root).ok())
        };
        let made = if is_loopback { None } else { builder().build().ok() };
        let made = made.map_or_else(|| builder().tls_certs_only(bundled()).build(), Ok);
        made.map_err(|error| Error::Unavailable(Box::new(error.without_url())))
    }
}

fn literal(host: &Host) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn signature(secret: &SecretString, timestamp: &str, body: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("a key of any length will do");
    for part in [timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("v1=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Without the path, which often is a secret.
impl fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Webhook").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebhookOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_any_other_tool_computes() {
        // printf '%s' '1800000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let expected = "v1=440dfbb83aabca24d9e5027629cfd81cb45254690f8d410bb28f1cc17c990dbc";
        assert_eq!(signature(&SecretString::from("secret"), "1800000000", r#"{"a":1}"#), expected);
    }
}
