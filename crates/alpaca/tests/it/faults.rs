//! Every way in which an answer can be wrong, and what each becomes.

use std::io::Write;
use std::time::Duration;

use barkeep_alpaca::Timeouts;
use barkeep_provider::{Answer, Error, Provider, ProviderExt, Result, Retry};
use futures::TryStreamExt;

use crate::raw_server::{RawServer, Then, ok};
use crate::{PAGE, client, request};

async fn answer_to(bytes: impl Into<Vec<u8>>, then: Then) -> Result<usize> {
    let server = RawServer::start(bytes, then).await;
    let page = client(&server.url).page(&request(&["AAPL"]), None).await?;
    assert_eq!(server.requests().len(), 1, "a client repeats nothing by itself");
    Ok(page.bars.iter().map(|of| of.bars.len()).sum())
}

async fn error_of(bytes: impl Into<Vec<u8>>, then: Then) -> Error {
    answer_to(bytes, then).await.unwrap_err()
}

fn code_and_retry(error: &Error) -> (&'static str, Retry) {
    (error.code(), error.retry())
}

const BAD: (&str, Retry) = ("BAD_RESPONSE", Retry::Backoff);
const UNAVAILABLE: (&str, Retry) = ("SERVICE_UNAVAILABLE", Retry::Backoff);

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_good_answer_is_good_here() {
    assert_eq!(answer_to(ok("", PAGE.as_bytes()), Then::Close).await.unwrap(), 1);
    let zipped = ok("content-encoding: gzip\r\n", &gzip(PAGE.as_bytes()));
    assert_eq!(answer_to(zipped, Then::Close).await.unwrap(), 1);
    // Gzip may come in members, each for itself.
    let (first, second) = PAGE.split_at(20);
    let members = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    assert_eq!(answer_to(ok("content-encoding: gzip\r\n", &members), Then::Close).await.unwrap(), 1);
    // What it is called does not matter, if it is a page.
    assert_eq!(answer_to(ok("content-type: text/html\r\n", PAGE.as_bytes()), Then::Close).await.unwrap(), 1);
}

#[tokio::test]
async fn too_many_requests_wait_as_long_as_the_vendor_says() {
    for (header, retry) in [
        ("retry-after: 2\r\n", Retry::After(Duration::from_secs(2))),
        (
            "date: Tue, 21 Mar 2023 15:13:07 GMT\r\nretry-after: Tue, 21 Mar 2023 15:13:17 GMT\r\n",
            Retry::After(Duration::from_secs(10)),
        ),
        ("retry-after: 1000000000\r\n", Retry::After(Duration::from_secs(900))),
        ("", Retry::Backoff),
    ] {
        let head = format!("HTTP/1.1 429 x\r\ncontent-length: 18\r\n{header}\r\ntoo many requests.");
        let error = error_of(head, Then::Close).await;
        assert_eq!(code_and_retry(&error), ("RATE_LIMIT_EXCEEDED", retry), "{header}");
    }
}

#[tokio::test]
async fn server_errors_are_worth_another_try() {
    for status in [500, 502, 503, 504] {
        let body = "<html><h1>oops</h1></html>";
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let error = error_of(head, Then::Close).await;
        assert_eq!(code_and_retry(&error), UNAVAILABLE, "{status}");
        assert!(error.to_string().contains("oops"), "{error}");
    }
}

#[tokio::test]
async fn refused_credentials_are_final() {
    for status in [401, 403] {
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
        let error = error_of(head, Then::Close).await;
        assert_eq!(code_and_retry(&error), ("AUTHENTICATION_ERROR", Retry::Never));
    }
}

#[tokio::test]
async fn what_the_plan_lacks_is_no_matter_of_credentials() {
    let body = r#"{"message":"subscription does not permit OTC data"}"#;
    let head = format!("HTTP/1.1 403 x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(code_and_retry(&error_of(head, Then::Close).await), ("PERMISSION_DENIED", Retry::Never));
}

#[tokio::test]
async fn a_refusal_is_understood_however_long_it_is() {
    let page = format!("<html><h1>blocked by a wall of fire</h1>{}</html>", "x".repeat(20_000));
    let head = format!("HTTP/1.1 403 x\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let error = error_of(head, Then::Close).await;
    // It is not about the credentials, whose refusal ends all work.
    assert_eq!(code_and_retry(&error), ("PERMISSION_DENIED", Retry::Never));
    assert!(error.to_string().contains("wall of fire"), "{error}");
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(&format!("http://{free}")).page(&request(&["A"]), None).await.unwrap_err();
    assert_eq!(code_and_retry(&error), UNAVAILABLE);
}

#[tokio::test]
async fn a_host_without_an_address_is_unavailable() {
    let alpaca = client("http://127.0.0.1:1").with_allowed_host("no.such.host.invalid");
    let alpaca = alpaca.with_base_url("https://no.such.host.invalid").unwrap().without_proxy();
    let error = alpaca.page(&request(&["A"]), None).await.unwrap_err();
    assert_eq!(code_and_retry(&error), UNAVAILABLE);
}

#[tokio::test]
async fn silence_is_unavailable_after_the_read_timeout() {
    assert_eq!(code_and_retry(&error_of("", Then::Silence).await), UNAVAILABLE);
    let half = &ok("", PAGE.as_bytes())[..80];
    assert_eq!(code_and_retry(&error_of(half, Then::Silence).await), UNAVAILABLE);
}

#[tokio::test]
async fn a_slow_drip_is_unavailable_after_the_total_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let error = error_of(head, Then::Drip(Duration::from_millis(50))).await;
    assert_eq!(code_and_retry(&error), UNAVAILABLE);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_bad() {
    let whole = ok("", PAGE.as_bytes());
    let half = &whole[..whole.len() / 2 + 40];
    assert_eq!(code_and_retry(&error_of(half, Then::Close).await), BAD);
    assert_eq!(code_and_retry(&error_of(half, Then::Reset).await), BAD);
    assert_eq!(code_and_retry(&error_of(ok("", &PAGE.as_bytes()[..60]), Then::Close).await), BAD);
    assert_eq!(code_and_retry(&error_of("", Then::Reset).await), UNAVAILABLE);
    assert_eq!(code_and_retry(&error_of("", Then::Close).await), UNAVAILABLE);
}

#[tokio::test]
async fn a_wrong_length_is_bad() {
    for length in [PAGE.len() + 10, PAGE.len() - 10] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{PAGE}");
        assert_eq!(code_and_retry(&error_of(head, Then::Close).await), BAD, "{length}");
    }
}

#[tokio::test]
async fn corrupt_gzip_is_bad() {
    let mut zipped = gzip(PAGE.as_bytes());
    let middle = zipped.len() / 2;
    zipped[middle..middle + 8].fill(0xff);
    let corrupt = ok("content-encoding: gzip\r\n", &zipped);
    assert_eq!(code_and_retry(&error_of(corrupt, Then::Close).await), BAD);
    let plain = ok("content-encoding: gzip\r\n", PAGE.as_bytes());
    assert_eq!(code_and_retry(&error_of(plain, Then::Close).await), BAD);
}

#[tokio::test]
async fn what_is_no_page_is_bad_and_shown_in_part() {
    let portal = format!("<html>{}\x1b[31m</html>", "x".repeat(5000));
    for body in ["", "null", "[]", "{", &portal, r#"{"message":"hello"}"#, r#"{"bars":7}"#] {
        let error = error_of(ok("content-type: text/html\r\n", body.as_bytes()), Then::Close).await;
        assert_eq!(code_and_retry(&error), BAD, "{body}");
        let shown = error.answer().unwrap().excerpt();
        assert!(shown.len() <= Answer::EXCERPT_BYTES && !shown.contains('\x1b'));
    }
    let long = "x".repeat(100_000);
    for body in [
        format!(r#"{{"bars":"{long}"}}"#),
        format!(r#"{{"bars":{{"A":"{long}"}}}}"#),
        format!(r#"{{"bars":{{"A":["{long}"]}}}}"#),
        format!(r#"{{"bars":{{"A":[{{"n":"{long}"}}]}}}}"#),
        format!(r#""{long}""#),
    ] {
        let error = error_of(ok("", body.as_bytes()), Then::Close).await;
        assert_eq!(code_and_retry(&error), BAD);
        assert!(
            error.to_string().len() < 1_000 && format!("{error:?}").len() < 2_000,
            "{} bytes",
            error.to_string().len()
        );
    }
    let nested = format!("{{\"bars\":{}", "[".repeat(10_000));
    assert_eq!(code_and_retry(&error_of(ok("", nested.as_bytes()), Then::Close).await), BAD);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\nx-request-id: r-9\r\n\r\n{\"bars\":{\"A\":[";
    let server = RawServer::start(head, Then::Flood(&[b' '; 65536])).await;
    let alpaca = client(&server.url).with_response_limit(1 << 20);
    let error = alpaca.page(&request(&["A"]), None).await.unwrap_err();
    assert!(matches!(error, Error::ResponseTooLarge { limit_bytes: 1_048_576, .. }), "{error}");
    assert_eq!((error.retry(), error.request_id()), (Retry::Never, Some("r-9")));
}

#[tokio::test]
async fn a_gzip_bomb_is_cut_at_the_limit() {
    let whole = gzip(&vec![b' '; 32 << 20]);
    // Of which each alone is short enough.
    let in_members = gzip(&vec![b' '; 4 << 20]).repeat(3);
    for bomb in [whole, in_members] {
        assert!(bomb.len() < 1 << 20);
        let server = RawServer::start(ok("content-encoding: gzip\r\n", &bomb), Then::Close).await;
        // Unpacking so much takes a while where nothing is optimised.
        let alpaca = client(&server.url).with_response_limit(8 << 20).with_timeouts(Timeouts::default());
        let error = alpaca.page(&request(&["A"]), None).await.unwrap_err();
        assert_eq!(error.code(), "RESPONSE_TOO_LARGE", "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_refused_and_carries_nothing_along() {
    let other = RawServer::start(ok("", PAGE.as_bytes()), Then::Close).await;
    for status in [301, 302, 303, 307, 308] {
        let to = other.url.replace("127.0.0.1", "localhost");
        let head = format!("HTTP/1.1 {status} x\r\nlocation: {to}/\r\ncontent-length: 0\r\n\r\n");
        let error = error_of(head, Then::Close).await;
        assert!(matches!(error, Error::Untrusted { .. }), "{error}");
        assert_eq!(error.retry(), Retry::Never);
        assert!(error.to_string().contains("localhost"), "{error}");
    }
    assert_eq!(other.requests(), [""; 0]);
}

#[tokio::test]
async fn an_endless_token_is_a_loop() {
    let body = PAGE.replace("null", r#""again""#);
    let server = RawServer::start(ok("", body.as_bytes()), Then::Close).await;
    let alpaca = client(&server.url);
    let pages: Result<Vec<_>> = alpaca.pages(request(&["AAPL"])).try_collect().await;
    assert_eq!(pages.unwrap_err().code(), "PAGINATION_LOOP");
    assert_eq!(server.requests().len(), 2);
}
