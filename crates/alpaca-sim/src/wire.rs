//! HTTP/1.1, as much as a server of GET requests needs, on the bare socket: faults need every byte in hand.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::{Answer, reason};
use crate::kept::Encoded;
use crate::shared::Shared;

/// The longest address, as of the proxy in front of the vendor.
const LONGEST_TARGET: usize = 8 * 1024;
const LONGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
/// Smaller bodies are not packed, whoever asks.
const WORTH_PACKING: usize = 1024;

/// The head of a request; its body, which a GET has none of, is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// Whether it came by HTTP/1.0, which closes connections unless told otherwise.
    is_old: bool,
}

impl Request {
    /// A request with any credentials.
    #[cfg(test)]
    pub(crate) fn get(path: &str, query: &str) -> Self {
        let keys = ["apca-api-key-id", "apca-api-secret-key"].map(|name| (name.to_owned(), "any".to_owned()));
        let (method, path, query) = ("GET".to_owned(), path.to_owned(), query.to_owned());
        Self { method, path, query, headers: keys.to_vec(), is_old: false }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The path and query as they were sent.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    pub(crate) fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip"))
    }

    fn wants_close(&self) -> bool {
        match self.header("connection") {
            Some(value) if self.is_old => !value.eq_ignore_ascii_case("keep-alive"),
            Some(value) => value.eq_ignore_ascii_case("close"),
            None => self.is_old,
        }
    }
}

/// What was read where a request was expected.
enum Head {
    Request(Request),
    /// Not HTTP, or more of it than is read; the connection ends after this answer.
    Refused(Answer),
    Closed,
}

/// Serves a connection until the caller closes it.
pub(crate) async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let request = match read_head(&mut stream, &mut buffer).await? {
            Head::Request(request) => request,
            Head::Refused(answer) => return stream.write_all(&bytes(shared.refuse(answer), false, true)).await,
            Head::Closed => return Ok(()),
        };
        let close = request.wants_close() || request.method != "GET";
        let reply = shared.reply(&request);
        if !shared.options.latency.is_zero() {
            tokio::time::sleep(shared.options.latency).await;
        }
        match reply.fault {
            Some(fault) => return fault.send(&mut stream, reply.answer).await,
            None => stream.write_all(&bytes(reply.answer, request.accepts_gzip(), close)).await?,
        }
        if close {
            return Ok(());
        }
    }
}

async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Head> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(buffer) {
            Ok(httparse::Status::Complete(length)) => {
                let head = request(&parsed);
                buffer.drain(..length);
                return Ok(head);
            }
            Ok(httparse::Status::Partial) if buffer.len() > LONGEST_HEAD => {
                return Ok(Head::Refused(Answer::html(431)));
            }
            Ok(httparse::Status::Partial) => {}
            Err(_) => return Ok(Head::Refused(Answer::html(400))),
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(Head::Closed);
        }
    }
}

fn request(parsed: &httparse::Request<'_, '_>) -> Head {
    let target = parsed.path.unwrap_or_default();
    if target.len() > LONGEST_TARGET {
        return Head::Refused(Answer::html(414));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
    Head::Request(Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.collect(),
        is_old: parsed.version == Some(0),
    })
}

fn bytes(mut answer: Answer, accepts_gzip: bool, close: bool) -> Vec<u8> {
    let body = answer.encoded.take().unwrap_or_else(|| encoded(std::mem::take(&mut answer.body), accepts_gzip));
    let length = body.bytes.len().to_string();
    let headers = [("Content-Encoding", "gzip"), ("Content-Length", &length)];
    let headers = if body.is_packed { &headers[..] } else { &headers[1..] };
    [&head(&answer, headers, close), &*body.bytes].concat()
}

/// A body as it is sent to one who takes gzip or does not.
pub(crate) fn encoded(body: Vec<u8>, accepts_gzip: bool) -> Encoded {
    let is_packed = accepts_gzip && body.len() > WORTH_PACKING;
    Encoded { bytes: if is_packed { gzip(&body) } else { body }.into(), is_packed }
}

/// The head of an answer, with the headers that say how its body comes.
pub(crate) fn head(answer: &Answer, body: &[(&str, &str)], close: bool) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    let mut header = |name: &str, value: &str| text.extend([name, ": ", value, "\r\n"]);
    header("Content-Type", answer.content_type);
    header("Connection", if close { "close" } else { "keep-alive" });
    body.iter().for_each(|(name, value)| header(name, value));
    answer.headers.iter().for_each(|(name, value)| header(name, value));
    text.push_str("\r\n");
    text.into_bytes()
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    packed.write_all(body).and_then(|()| packed.finish()).expect("a vector takes every byte")
}
