//! One GET with credentials: bounded in time and size, never redirected.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use barkeep_provider::{Answer, Calls, Error, Quota, Result};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, redirect, retry};
use rustls::RootCertStore;

use crate::server::Manner;
use crate::unpack::{Spoiled, Unpacking};
use crate::{ConfigError, headers};

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands: 5 s.
    pub connect: Duration,
    /// Between any two pieces of the answer: 15 s.
    pub read: Duration,
    /// For everything together: 60 s.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [connect, read, total] = [5, 15, 60].map(Duration::from_secs);
        Self { connect, read, total }
    }
}

/// A good answer, whole and decompressed.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) quota: Option<Quota>,
}

impl Body {
    /// The error of a body that cannot be read.
    pub(crate) fn unreadable(&self, error: serde_json::Error) -> Error {
        let answer = Answer::new(self.status, &self.bytes).with_request_id(self.request_id.as_deref());
        unreadable(&error, answer)
    }
}

/// The error of JSON that cannot be read. The parser quotes texts whole, so what it says is kept as an answer is: escaped
/// and short.
pub(crate) fn unreadable(error: &serde_json::Error, answer: Answer) -> Error {
    let said = Answer::not_sent(&error.to_string());
    Error::BadResponse { detail: said.excerpt().to_owned(), answer, source: None }
}

/// An answer that is none of the good ones.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Refused {
    pub(crate) fn answer(&self) -> Answer {
        Answer::new(self.status.as_u16(), &self.bytes).with_request_id(headers::request_id(&self.headers))
    }
}

/// Reads the certificate of an authority.
pub(crate) fn authority(der: &[u8]) -> std::result::Result<Certificate, ConfigError> {
    let is_one = RootCertStore::empty().add(der.to_vec().into()).is_ok();
    is_one.then(|| Certificate::from_der(der).ok()).flatten().ok_or(ConfigError::InvalidCertificate)
}

/// Makes a client that trusts the machine's certificates, or Mozilla's where the machine has none.
pub(crate) fn client(manner: &Manner, is_local: bool) -> Result<Client> {
    // One provider for the whole process; whoever came first is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("barkeep/", env!("CARGO_PKG_VERSION")))
            // Unpacked here: see `Unpacking`.
            .no_gzip()
            .default_headers([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))].into_iter().collect())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .https_only(!is_local)
            .connect_timeout(manner.timeouts.connect)
            .read_timeout(manner.timeouts.read)
            .timeout(manner.timeouts.total);
        if manner.use_proxy && !is_local { builder } else { builder.no_proxy() }
    };
    let authorities = || manner.authorities.iter().cloned();
    let bundled = || {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        roots.filter_map(|root| Certificate::from_der(root).ok()).chain(authorities())
    };
    // Reading the machine's certificates takes longer than a request to this machine.
    let machine = if is_local { None } else { builder().tls_certs_merge(authorities()).build().ok() };
    match machine {
        Some(client) => Ok(client),
        None => builder().tls_certs_only(bundled()).build().map_err(unavailable),
    }
}

/// Sends a request, which `calls` counts unless there was nobody to send it to, and reads at most `most_bytes` of the
/// decompressed answer.
pub(crate) async fn get(
    request: RequestBuilder,
    most_bytes: u64,
    calls: &Calls,
) -> Result<std::result::Result<Body, Refused>> {
    calls.add_one();
    let mut response = request.send().await.map_err(|error| {
        if error.is_connect() {
            calls.take_one_back();
        }
        unsent(error)
    })?;
    let status = response.status();
    let request_id = headers::request_id(response.headers()).map(str::to_owned);
    if status.is_redirection() {
        return Err(redirected(&response));
    }
    if !status.is_success() {
        let headers = response.headers().clone();
        // Enough to understand a refusal, however long its page of HTML is.
        let bytes = read(&mut response, 4096).await.unwrap_or_else(|partial| partial.bytes);
        return Ok(Err(Refused { status, headers, bytes }));
    }
    let quota = headers::quota(response.headers());
    match read(&mut response, most_bytes).await {
        Ok(bytes) => Ok(Ok(Body { bytes, status: status.as_u16(), request_id, quota })),
        Err(Partial { reason: Reason::Spoiled(Spoiled::TooLong), .. }) => {
            Err(Error::ResponseTooLarge { limit_bytes: most_bytes, request_id })
        }
        Err(Partial { reason, bytes }) => {
            let answer = Answer::new(status.as_u16(), &bytes).with_request_id(request_id.as_deref());
            Err(broken_off(reason, answer))
        }
    }
}

/// A body that was not read to its end.
struct Partial {
    bytes: Vec<u8>,
    reason: Reason,
}

enum Reason {
    BrokenOff(reqwest::Error),
    Spoiled(Spoiled),
}

async fn read(response: &mut Response, most_bytes: u64) -> std::result::Result<Vec<u8>, Partial> {
    let mut unpacking = Unpacking::new(is_gzip(response.headers()), most_bytes);
    loop {
        let reason = match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) => match unpacking.push(&chunk) {
                Ok(()) => continue,
                Err(spoiled) => Reason::Spoiled(spoiled),
            },
            Err(error) => Reason::BrokenOff(error),
        };
        return Err(Partial { bytes: unpacking.into_bytes(), reason });
    }
    unpacking.finish().map_err(|(spoiled, bytes)| Partial { bytes, reason: Reason::Spoiled(spoiled) })
}

fn is_gzip(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

fn redirected(response: &Response) -> Error {
    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
    let to = Answer::not_sent(to);
    let detail = format!("status {} redirects to {}", response.status().as_u16(), to.excerpt());
    Error::Untrusted { detail, source: None }
}

/// The error of a request that got no answer.
fn unsent(error: reqwest::Error) -> Error {
    match tls_failure(&error) {
        Some(detail) => Error::Untrusted { detail, source: Some(Box::new(error.without_url())) },
        None => unavailable(error),
    }
}

/// The error of an answer whose body ended too early: in time if the vendor fell silent, else what came is broken.
fn broken_off(reason: Reason, answer: Answer) -> Error {
    let source: Box<dyn StdError + Send + Sync> = match reason {
        Reason::BrokenOff(error) if error.is_timeout() => {
            let source = Some(Box::new(error.without_url()) as _);
            return Error::Unavailable { retry_after: None, answer: Some(answer), source };
        }
        Reason::BrokenOff(error) => Box::new(error.without_url()),
        Reason::Spoiled(Spoiled::Undecodable(error)) => Box::new(error),
        Reason::Spoiled(Spoiled::TooLong) => "the body is too long".into(),
    };
    let detail = "the body broke off or cannot be decompressed".to_owned();
    Error::BadResponse { detail, answer, source: Some(source) }
}

fn unavailable(error: reqwest::Error) -> Error {
    Error::Unavailable { retry_after: None, answer: None, source: Some(Box::new(error.without_url())) }
}

/// What rustls says, if it is what failed. I/O errors hide what they hold from `source()`.
fn tls_failure(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(failure) = error.downcast_ref::<rustls::Error>() {
        return Some(failure.to_string());
    }
    match error.downcast_ref::<io::Error>() {
        Some(error) => tls_failure(error.get_ref()?),
        None => tls_failure(error.source()?),
    }
}
