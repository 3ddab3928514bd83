//! Credentials appear nowhere: not in Debug, not in an error or its sources, not in a log at TRACE.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_provider::Provider;

use crate::raw_server::{RawServer, Then, ok};
use crate::{PAGE, client, request};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn credentials_appear_in_no_output() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut shown = String::new();
    for (bytes, then) in [
        (ok("", PAGE.as_bytes()), Then::Close),
        (ok("", b"no page"), Then::Close),
        (b"HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n".to_vec(), Then::Close),
        (b"HTTP/1.1 302 x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".to_vec(), Then::Close),
        (b"no http".to_vec(), Then::Close),
        (Vec::new(), Then::Reset),
        (Vec::new(), Then::Silence),
    ] {
        let server = RawServer::start(bytes, then).await;
        let alpaca = client(&server.url);
        let result = alpaca.page(&request(&["AAPL"]), None).await;
        assert!(server.requests()[0].contains("canary-secret"), "it was sent, though");
        shown += &format!("{alpaca:?} {alpaca:#?} {result:?}");
        let mut cause = result.as_ref().err().and_then(|error| error.source());
        while let Some(error) = cause {
            shown += &format!("{error} {error:?}");
            cause = error.source();
        }
    }
    let hostile = "https://canary-key:canary-secret@data.alpaca.markets";
    let credentials = Credentials::new("canary-key", "canary-secret").unwrap();
    shown += &format!("{credentials:?}");
    shown += &format!("{:?}", Alpaca::new(credentials).with_base_url(hostile));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TRACE") && shown.contains("AUTHENTICATION") | shown.contains("401"));
    for text in [shown, log] {
        assert!(!text.contains("canary"), "{text}");
    }
}
