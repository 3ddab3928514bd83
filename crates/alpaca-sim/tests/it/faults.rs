//! What goes wrong on purpose goes wrong in the way it says, once, and then no more.

use std::io::Read;
use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Fault, Injection, NumberFault, PageFault, RetryAfter, WireFault};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Response, encoded, exchange, get};

const HOURS: &str =
    "/v2/stocks/bars?symbols=AAPL,MSFT&timeframe=1Hour&start=2024-03-04T15:00:00Z&end=2024-03-04T18:00:00Z&limit=3";
const REQUEST: &str = "GET /v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2024-01-01&end=2024-03-31 HTTP/1.1\r\nAPCA-API-KEY-ID: k\r\nAPCA-API-SECRET-KEY: s\r\n\r\n";

async fn sim() -> AlpacaSim {
    AlpacaSim::options().with_now("2024-06-03T00:00:00Z".parse().unwrap()).start().await.unwrap()
}

async fn hit(fault: impl Into<Fault>) -> Response {
    let sim = sim().await;
    sim.inject(fault.into());
    let response = get(&sim, HOURS).await;
    assert_eq!((sim.requests().faults, sim.requests().bars), (1, 0));
    assert_eq!(get(&sim, HOURS).await.json()["bars"]["AAPL"].as_array().unwrap().len(), 3, "a fault goes once");
    response
}

fn starts(bars: &Value) -> Vec<&str> {
    bars.as_array().unwrap().iter().map(|bar| bar["t"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn too_many_requests_comes_with_every_kind_of_retry_after() {
    for (retry_after, header) in [
        (RetryAfter::Absent, None),
        (RetryAfter::Seconds(1_000_000_000), Some("1000000000")),
        (RetryAfter::Date(60), Some("Mon, 03 Jun 2024 00:01:00 GMT")),
    ] {
        let response = hit(AnswerFault::TooManyRequests(retry_after)).await;
        assert_eq!((response.status, response.header("Retry-After")), (429, header));
    }
    let response = hit(AnswerFault::TooManyRequestsInText).await;
    assert_eq!((response.status, response.body.as_slice()), (429, b"too many requests.".as_slice()));
}

#[tokio::test]
async fn any_status_comes_in_json_or_html() {
    for status in [401, 403, 404, 408, 422, 500, 502, 503, 504] {
        let json = hit(AnswerFault::Status(status)).await;
        assert!(json.status == status && !json.message().is_empty());
        let html = hit(AnswerFault::HtmlStatus(status)).await;
        assert!(html.status == status && html.body.starts_with(b"<html>"));
    }
    let refusal = hit(AnswerFault::Refusal(400, "invalid symbol(s)".to_owned())).await;
    assert_eq!((refusal.status, refusal.message().as_str()), (400, "invalid symbol(s)"));
    assert_eq!(hit(AnswerFault::ExpiredToken).await.message(), "invalid page_token");
    let redirect = hit(AnswerFault::Redirect("http://127.0.0.2:1/".to_owned())).await;
    assert_eq!((redirect.status, redirect.header("Location")), (302, Some("http://127.0.0.2:1/")));
}

#[tokio::test]
async fn a_success_can_hold_anything_but_a_page() {
    for (fault, body) in [
        (AnswerFault::CaptivePortal, "<html>"),
        (AnswerFault::PlainText, "upstream says hello"),
        (AnswerFault::EmptyBody, ""),
        (AnswerFault::NullBody, "null"),
        (AnswerFault::ArrayBody, "[]"),
        (AnswerFault::InvalidJson, "{\"bars\":undefined,"),
        (AnswerFault::DeepNesting(10_000), "{\"bars\":[[[["),
        (AnswerFault::LongString(1_000_000), "{\"bars\":{},\"next_page_token\":\"AAAA"),
    ] {
        let response = hit(fault.clone()).await;
        assert_eq!(response.status, 200);
        assert!(response.body.starts_with(body.as_bytes()), "{fault:?}");
        assert!(body.is_empty() == response.body.is_empty());
    }
    let truncated = hit(AnswerFault::TruncatedJson).await;
    let announced = truncated.header("Content-Length").unwrap().parse();
    assert_eq!(announced, Ok(truncated.body.len()));
    assert!(serde_json::from_slice::<Value>(&truncated.body).unwrap_err().is_eof());
}

#[tokio::test]
async fn bars_come_twice_disordered_foreign_or_from_another_time() {
    let bars = |fault: PageFault| async move { hit(fault).await.json()["bars"].clone() };
    let hour = ["2024-03-04T15:00:00Z", "2024-03-04T16:00:00Z", "2024-03-04T17:00:00Z"];
    let twice = bars(PageFault::DuplicateBars).await;
    assert_eq!(starts(&twice["AAPL"]), [hour[0], hour[0], hour[1], hour[1], hour[2], hour[2]]);
    let conflicting = bars(PageFault::ConflictingBars).await;
    let volume = |index: usize| conflicting["AAPL"][index]["v"].as_f64().unwrap();
    assert_eq!(volume(0) + 1.0, volume(1));
    let disordered = bars(PageFault::DisorderedBars).await;
    assert_eq!(starts(&disordered["AAPL"]), [hour[2], hour[1], hour[0]]);
    let foreign = bars(PageFault::ForeignSymbol).await;
    assert_eq!(starts(&foreign["XXXX"]), hour);
    let early = bars(PageFault::BarOutOfRange).await;
    assert_eq!(starts(&early["AAPL"])[0], "2024-03-03T15:00:00Z");
    let late = bars(PageFault::BarFromTheFuture).await;
    assert_eq!(starts(&late["AAPL"])[3], "2025-06-03T00:00:00Z");
    let misaligned = bars(PageFault::MisalignedBars).await;
    assert_eq!(starts(&misaligned["AAPL"])[0], "2024-03-04T15:00:17Z");
}

#[tokio::test]
async fn bars_can_be_null_absent_or_an_array() {
    assert_eq!(hit(PageFault::NullBars).await.json().get("bars"), Some(&Value::Null));
    assert_eq!(hit(PageFault::MissingBars).await.json().get("bars"), None);
    assert_eq!(hit(PageFault::ArrayBars).await.json()["bars"], serde_json::json!([]));
    let strange = hit(PageFault::UnknownFields).await.json();
    assert!(strange["served_by"].is_object() && strange["bars"]["AAPL"][0]["x"] == "V");
}

#[tokio::test]
async fn every_impossible_number_is_written() {
    for fault in [NumberFault::NotANumber, NumberFault::Infinity] {
        assert!(serde_json::from_slice::<Value>(&hit(fault).await.body).is_err(), "{fault:?}");
    }
    for (fault, field, value) in [
        (NumberFault::Null, "c", Some("null")),
        (NumberFault::Text, "c", Some("\"12.5\"")),
        (NumberFault::Missing, "c", None),
        (NumberFault::TimeAsNumber, "t", Some("1709510400")),
        (NumberFault::NegativePrice, "l", Some("-1.5")),
        (NumberFault::ZeroPrice, "l", Some("0")),
        (NumberFault::HighBelowLow, "h", Some("0.0001")),
        (NumberFault::OpenOutside, "o", Some("1000000")),
        (NumberFault::CloseOutside, "c", Some("1000000")),
        (NumberFault::NegativeVolume, "v", Some("-1")),
        (NumberFault::HugeTradeCount, "n", Some("18446744073709551615")),
    ] {
        let json = hit(fault).await.json();
        let first = json["bars"]["AAPL"][0].get(field).map(Value::to_string);
        assert_eq!(first.as_deref(), value, "{fault:?}");
    }
    for (fault, text) in [
        (NumberFault::Overflow, "1e999"),
        (NumberFault::Underflow, "1e-400"),
        (NumberFault::HugeVolume, "18446744073709551616"),
    ] {
        assert!(String::from_utf8(hit(fault).await.body).unwrap().contains(text), "{fault:?}");
    }
}

/// The bars and tokens of the first pages under a fault that does not end.
async fn follow(fault: PageFault, most: usize) -> (Vec<usize>, Vec<String>) {
    let sim = sim().await;
    sim.inject(Injection::of(fault).times(usize::MAX));
    let (mut sizes, mut tokens, mut next) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..most {
        let json = get(&sim, &format!("{HOURS}{next}")).await.json();
        sizes.push(json["bars"].as_object().unwrap().values().map(|bars| bars.as_array().unwrap().len()).sum());
        let Some(token) = json["next_page_token"].as_str() else { break };
        tokens.push(token.to_owned());
        next = format!("&page_token={}", encoded(token));
    }
    (sizes, tokens)
}

#[tokio::test]
async fn tokens_loop_cycle_and_never_end() {
    let (_, same) = follow(PageFault::SameToken, 4).await;
    assert!(same.len() == 4 && same.iter().all(|token| *token == same[0]));
    let (sizes, cycle) = follow(PageFault::TokenCycle, 4).await;
    assert!(cycle[0] != cycle[1] && cycle[..2] == cycle[2..] && sizes == [3; 4]);
    let (sizes, mut endless) = follow(PageFault::EndlessTokens, 20).await;
    assert_eq!(sizes, [0; 20]);
    endless.sort();
    endless.dedup();
    assert_eq!(endless.len(), 20);
}

#[tokio::test]
async fn an_empty_page_with_a_token_leads_to_the_bars() {
    let sim = sim().await;
    sim.inject(PageFault::EmptyPageWithToken);
    let empty = get(&sim, HOURS).await.json();
    assert_eq!(empty["bars"], serde_json::json!({}));
    let token = encoded(empty["next_page_token"].as_str().unwrap());
    let page = get(&sim, &format!("{HOURS}&page_token={token}")).await;
    assert_eq!(page.body, get(&sim, HOURS).await.body);

    // And so does one in the middle.
    let token = encoded(page.json()["next_page_token"].as_str().unwrap());
    let second = get(&sim, &format!("{HOURS}&page_token={token}")).await;
    sim.inject(PageFault::EmptyPageWithToken);
    let empty = get(&sim, &format!("{HOURS}&page_token={token}")).await.json();
    let later = encoded(empty["next_page_token"].as_str().unwrap());
    assert_ne!(later, token);
    assert_eq!(get(&sim, &format!("{HOURS}&page_token={later}")).await.body, second.body);
}

#[tokio::test]
async fn overlapping_pages_share_a_bar() {
    let sim = sim().await;
    sim.inject(PageFault::OverlappingPages);
    let first = get(&sim, HOURS).await.json();
    let token = encoded(first["next_page_token"].as_str().unwrap());
    let second = get(&sim, &format!("{HOURS}&page_token={token}")).await.json();
    assert_eq!(first["bars"]["AAPL"][2], second["bars"]["AAPL"][0]);
}

async fn raw(fault: WireFault) -> Vec<u8> {
    let sim = sim().await;
    sim.inject(fault);
    exchange(&sim, REQUEST.as_bytes()).await
}

fn split(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(bytes[..end].to_vec()).unwrap(), &bytes[end + 4..])
}

fn announced(head: &str) -> usize {
    head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn lengths_lie_and_connections_close_early() {
    assert_eq!(raw(WireFault::CloseBeforeAnswer).await, b"");
    assert!(raw(WireFault::NotHttp).await.starts_with(b"SSH-2.0"));
    let bytes = raw(WireFault::LengthTooLong).await;
    let (head, body) = split(&bytes);
    assert_eq!(announced(&head), body.len() + 100);
    let bytes = raw(WireFault::LengthTooShort).await;
    let (head, body) = split(&bytes);
    assert_eq!(announced(&head), body.len() / 2);
    assert!(split(&raw(WireFault::LengthNotANumber).await).0.contains("Content-Length: many"));
}

#[tokio::test]
async fn a_reset_connection_is_reset() {
    for fault in [WireFault::Reset, WireFault::ResetMidBody] {
        let sim = sim().await;
        sim.inject(fault);
        let mut stream = TcpStream::connect(sim.base_url().strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{fault:?}");
    }
}

#[tokio::test]
async fn silence_lasts_until_the_simulator_stops() {
    for (fault, heard) in [
        (WireFault::NoAnswer, ""),
        (WireFault::SilenceAfterHead, "HTTP/1.1 200 OK"),
        (WireFault::SilenceMidBody, "HTTP/1.1 200 OK"),
    ] {
        let sim = sim().await;
        sim.inject(fault);
        let mut stream = TcpStream::connect(sim.base_url().strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let silent = tokio::time::timeout(Duration::from_millis(100), stream.read_to_end(&mut bytes)).await;
        assert!(
            silent.is_err() && bytes.starts_with(heard.as_bytes()) && bytes.is_empty() == heard.is_empty(),
            "{fault:?}"
        );
        sim.shutdown().await;
    }
}

#[tokio::test]
async fn a_slow_drip_is_complete_in_the_end() {
    let dripped = raw(WireFault::SlowDrip(1_000_000)).await;
    let (head, body) = split(&dripped);
    assert_eq!(announced(&head), body.len());
    serde_json::from_slice::<Value>(body).unwrap();
}

#[tokio::test]
async fn gzip_comes_damaged_or_as_a_bomb() {
    let bytes = raw(WireFault::CorruptGzip).await;
    let (head, body) = split(&bytes);
    assert!(head.contains("Content-Encoding: gzip"));
    assert!(flate2::read::GzDecoder::new(body).read_to_end(&mut Vec::new()).is_err());

    let bytes = raw(WireFault::GzipBomb(20_000_000)).await;
    let (_, body) = split(&bytes);
    assert!(body.len() < 200_000, "{}", body.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked.len() > 20_000_000);
    serde_json::from_slice::<Value>(&unpacked).unwrap();
}

#[tokio::test]
async fn a_huge_page_has_as_many_bars_as_it_says() {
    let bytes = raw(WireFault::HugePage(2_345)).await;
    let (head, body) = split(&bytes);
    assert!(!head.contains("Content-Length"));
    let page: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(page["bars"]["AAPL"].as_array().unwrap().len(), 2_345);
}

#[tokio::test]
async fn at_random_a_share_of_requests_fails_and_the_rest_is_true() {
    let sim = sim().await;
    sim.inject_at_random(3, 0.3, [Fault::from(AnswerFault::Status(503))]);
    let mut failed = 0;
    for _ in 0..100 {
        failed += usize::from(get(&sim, HOURS).await.status == 503);
    }
    assert!((15..45).contains(&failed), "{failed}");
    sim.clear_faults();
    assert_eq!(get(&sim, HOURS).await.status, 200);
    assert_eq!(sim.served().len(), 101 - failed);
}
