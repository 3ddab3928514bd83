//! Credentials appear nowhere: not in Debug, not in an error or its sources, not in a log at TRACE.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use barkeep_alpaca::{Alpaca, AssetClass, Credentials};
use barkeep_provider::{Provider, RetryPolicy};
use chrono::NaiveDate;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

use crate::raw_server::{RawServer, Then, ok};
use crate::tls::{Authority, TlsServer, certificate, trusting};
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

/// All that is logged by this thread at any level, and all that results show of themselves.
struct Output {
    log: Log,
    shown: String,
    logged_before: usize,
    _guard: DefaultGuard,
}

/// Listens to everything, always. While there is but one subscriber, `tracing` asks that of whatever thread comes by a line
/// first whether it is ever wanted: a test without one would silence the line for this one.
static ALSO: LazyLock<Dispatch> = LazyLock::new(|| {
    let all = tracing_subscriber::filter::LevelFilter::TRACE;
    Dispatch::new(tracing_subscriber::fmt().with_max_level(all).with_writer(io::sink).finish())
});

impl Output {
    fn watched() -> Self {
        LazyLock::force(&ALSO);
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        Self { log, shown: String::new(), logged_before: 0, _guard: guard }
    }

    /// Takes in what a result of a client shows, and its sources; something must have been logged since the last one.
    fn take<T: Debug, E: Error + 'static>(&mut self, alpaca: &Alpaca, result: &Result<T, E>) {
        self.shown += &format!("{alpaca:?} {alpaca:#?} {result:?} {result:#?}");
        let mut cause = result.as_ref().err().map(|error| error as &dyn Error);
        while let Some(error) = cause {
            self.shown += &format!("{error} {error:?}");
            cause = error.source();
        }
        let logged = self.log.0.lock().unwrap().len();
        assert!(logged > self.logged_before, "the log covers every request");
        self.logged_before = logged;
    }

    fn tells_no_secret(self) {
        let log = String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("TRACE"), "{log}");
        for text in [self.shown, log] {
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

/// Every way in which an answer comes, or does not; `body` is a good one.
fn answers(body: &[u8]) -> [(Vec<u8>, Then); 7] {
    [
        (ok("", body), Then::Close),
        (ok("", b"no page"), Then::Close),
        (b"HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n".to_vec(), Then::Close),
        (b"HTTP/1.1 302 x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".to_vec(), Then::Close),
        (b"no http".to_vec(), Then::Close),
        (Vec::new(), Then::Reset),
        (Vec::new(), Then::Silence),
    ]
}

#[tokio::test]
async fn credentials_appear_in_no_output() {
    let mut output = Output::watched();
    for (bytes, then) in answers(PAGE.as_bytes()) {
        let server = RawServer::start(bytes, then).await;
        let alpaca = client(&server.url);
        let result = alpaca.page(&request(&["AAPL"]), None).await;
        assert!(server.requests()[0].contains("canary-secret"), "it was sent, though");
        output.take(&alpaca, &result);
    }
    let hostile = "https://canary-key:canary-secret@data.alpaca.markets";
    let credentials = Credentials::new("canary-key", "canary-secret").unwrap();
    output.shown += &format!("{credentials:?}");
    output.shown += &format!("{:?}", Alpaca::new(credentials).with_base_url(hostile));
    assert!(output.shown.contains("Unauthenticated") && output.shown.contains("401"));
    output.tells_no_secret();
}

#[tokio::test]
async fn credentials_appear_in_no_output_of_what_is_asked_besides_bars() {
    let mut output = Output::watched();
    let day: NaiveDate = "2024-07-01".parse().unwrap();
    let (dates, actions) = (day..=day, br#"{"corporate_actions":{},"next_page_token":null}"#);
    let answers = answers(b"[]").into_iter().zip(answers(actions));
    for ((list, then), (actions, _)) in answers {
        let (trading, data) = (RawServer::start(list, then).await, RawServer::start(actions, then).await);
        let alpaca = client(&data.url).with_trading_url(&trading.url).unwrap();
        let alpaca = alpaca.with_retries(RetryPolicy::default().with_tries(0));
        output.take(&alpaca, &alpaca.sessions(dates.clone()).await);
        output.take(&alpaca, &alpaca.assets(AssetClass::Stock).await);
        output.take(&alpaca, &alpaca.corporate_actions(&[], dates.clone()).await);
        let sent = [trading.requests(), data.requests()].concat();
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert!(sent.iter().all(|sent| sent.contains("canary-secret")), "it was sent, though: {sent:?}");
        for path in ["/v2/calendar?", "/v2/assets?", "/v1/corporate-actions?"] {
            assert!(sent.iter().any(|sent| sent.contains(path)), "{path} was asked: {sent:?}");
        }
    }
    output.tells_no_secret();
}

#[tokio::test]
async fn credentials_appear_in_no_output_over_tls() {
    let mut output = Output::watched();
    let authority = Authority::new();
    for (host, until, received) in [("127.0.0.1", 2100, true), ("127.0.0.1", 2021, false), ("localhost", 2100, false)] {
        let server = TlsServer::start(certificate(host, until, Some(&authority)));
        let alpaca = trusting(&server.url, &authority);
        let result = alpaca.page(&request(&["AAPL"]), None).await;
        output.take(&alpaca, &result);
        assert_eq!((result.is_ok(), server.received() > 100), (received, received), "{host} {until}");
    }
    let plain = RawServer::start(b"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n".to_vec(), Then::Close).await;
    let alpaca = client(&plain.url.replace("http:", "https:"));
    output.take(&alpaca, &alpaca.page(&request(&["AAPL"]), None).await);
    output.tells_no_secret();
}
