//! Who is taken for the vendor, over real TLS, and who is not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use barkeep_alpaca::{Alpaca, ConfigError};
use barkeep_provider::{Error, Provider, Retry};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::raw_server::ok;
use crate::{PAGE, client, request};

/// Somebody who vouches for servers.
pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { certificate: params.self_signed(&key).unwrap(), issuer: Issuer::new(params, key) }
    }
}

/// A certificate for a host, from 2020 until the first day of a year, and its key.
pub(crate) fn certificate(host: &str, until: i32, authority: Option<&Authority>) -> (Certificate, KeyPair) {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, &authority.issuer),
        None => params.self_signed(&key),
    };
    (certificate.unwrap(), key)
}

/// A server that shows a certificate and answers one request with a page; tells how much it was sent, decrypted.
pub(crate) struct TlsServer {
    pub(crate) url: String,
    received: JoinHandle<usize>,
}

impl TlsServer {
    pub(crate) fn start((certificate, key): (Certificate, KeyPair)) -> Self {
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let received = std::thread::spawn(move || answer(listener.accept().unwrap().0, config));
        Self { url, received }
    }

    /// How many bytes of a request it was sent, decrypted.
    pub(crate) fn received(self) -> usize {
        self.received.join().unwrap()
    }
}

fn answer(socket: TcpStream, config: ServerConfig) -> usize {
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        // A client that distrusts the certificate breaks off here.
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return head.len(),
        }
    }
    stream.write_all(&ok("connection: close\r\n", PAGE.as_bytes())).unwrap();
    stream.flush().unwrap();
    head.len()
}

pub(crate) fn trusting(url: &str, authority: &Authority) -> Alpaca {
    client(url).with_authority(authority.certificate.der()).unwrap()
}

/// What becomes of a request to one who shows a certificate, of which nothing may have left.
async fn distrust(alpaca: impl FnOnce(&str) -> Alpaca, certificate: (Certificate, KeyPair)) -> String {
    let server = TlsServer::start(certificate);
    let error = alpaca(&server.url).page(&request(&["A"]), None).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!((error.code(), error.retry()), ("SERVICE_UNAVAILABLE", Retry::Never));
    assert_eq!(server.received(), 0, "not a byte of the request was sent");
    error.to_string()
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_trusted() {
    let authority = Authority::new();
    let server = TlsServer::start(certificate("127.0.0.1", 2100, Some(&authority)));
    let page = trusting(&server.url, &authority).page(&request(&["AAPL"]), None).await.unwrap();
    assert_eq!(page.bars.len(), 1);
    assert!(server.received() > 100);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let text = distrust(client, certificate("127.0.0.1", 2100, None)).await;
    assert!(text.contains("certificate"), "{text}");
    // Nor is that of an authority that nobody named.
    let stranger = Authority::new();
    distrust(client, certificate("127.0.0.1", 2100, Some(&stranger))).await;
}

#[tokio::test]
async fn an_expired_certificate_is_not_trusted() {
    let authority = Authority::new();
    let text = distrust(|url| trusting(url, &authority), certificate("127.0.0.1", 2021, Some(&authority))).await;
    assert!(text.contains("expired"), "{text}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let authority = Authority::new();
    let other = certificate("data.alpaca.markets", 2100, Some(&authority));
    let text = distrust(|url| trusting(url, &authority), other).await;
    assert!(text.contains("not valid for name"), "{text}");
}

#[tokio::test]
async fn one_that_does_not_speak_tls_is_not_trusted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // Held open, so that the client reads the answer and not a reset.
        std::future::pending::<()>().await;
    });
    let error = client(&url).page(&request(&["A"]), None).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Never);
    other.abort();
}

#[test]
fn what_is_no_certificate_is_no_authority() {
    for bytes in [&b""[..], b"-----BEGIN CERTIFICATE-----", &[0x30; 64]] {
        let error = client("http://127.0.0.1:1").with_authority(bytes).unwrap_err();
        assert_eq!(error, ConfigError::InvalidCertificate);
    }
}
