//! A client of a few lines, which shares nothing with the simulator or with barkeep's own client.

use barkeep_alpaca_sim::AlpacaSim;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

/// Fetches a path with credentials that any simulator without keys of its own accepts.
pub(crate) async fn get(sim: &AlpacaSim, target: &str) -> Response {
    get_with(sim, target, &["APCA-API-KEY-ID: key", "APCA-API-SECRET-KEY: secret"]).await
}

pub(crate) async fn get_with(sim: &AlpacaSim, target: &str, headers: &[&str]) -> Response {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    let bytes = exchange(sim, request.as_bytes()).await;
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, head, body: bytes[split + 4..].to_vec() }
}

/// Sends bytes and reads until the simulator closes the connection.
pub(crate) async fn exchange(sim: &AlpacaSim, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(sim.base_url().strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

pub(crate) fn encoded(token: &str) -> String {
    token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
