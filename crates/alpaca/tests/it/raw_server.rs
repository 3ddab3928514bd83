//! A server that says exactly the bytes it is told to, and breaks off where it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens after the bytes.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing, ever.
    Silence,
    /// One more byte now and then, without end.
    Drip(Duration),
    /// These bytes again and again, as fast as they are taken.
    Flood(&'static [u8]),
}

pub(crate) struct RawServer {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl RawServer {
    /// Answers every connection alike.
    pub(crate) async fn start(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (bytes, requests) = (bytes.into(), Arc::<Mutex<Vec<String>>>::default());
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, bytes.clone(), then, Arc::clone(&seen)));
            }
        });
        Self { url, requests, task }
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, bytes: Vec<u8>, then: Then, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    stream.write_all(&bytes).await.ok()?;
    match then {
        Then::Close => stream.shutdown().await.ok()?,
        Then::Reset => stream.set_zero_linger().ok()?,
        Then::Silence => std::future::pending().await,
        Then::Drip(pause) => loop {
            tokio::time::sleep(pause).await;
            stream.write_all(b" ").await.ok()?;
        },
        Then::Flood(bytes) => loop {
            stream.write_all(bytes).await.ok()?;
        },
    }
    Some(())
}

/// A good head, then `body` as it is.
pub(crate) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}
