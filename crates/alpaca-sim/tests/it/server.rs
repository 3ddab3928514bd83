//! The server itself: ports, keys, limits.

use barkeep_alpaca_sim::{AlpacaSim, Error, Plan};
use chrono::TimeDelta;

use crate::http::{exchange, get, get_with};

const DAILY: &str = "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2024-03-04&end=2024-03-08";

#[tokio::test]
async fn a_port_in_use_is_said_to_be() {
    let first = AlpacaSim::options().start().await.unwrap();
    let port = first.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let error = AlpacaSim::options().with_port(port).start().await.unwrap_err();
    assert!(matches!(error, Error::PortInUse { port: taken, .. } if taken == port), "{error}");
    assert_eq!(error.code(), "PORT_IN_USE");

    first.shutdown().await;
    AlpacaSim::options().with_port(port).start().await.unwrap();
}

#[tokio::test]
async fn the_limit_holds_in_any_minute_and_comes_back() {
    let start = "2024-06-03T12:00:00Z".parse().unwrap();
    let plan = Plan::BASIC.with_requests_a_minute(3);
    let sim = AlpacaSim::options().with_now(start).with_plan(plan).start().await.unwrap();
    for remaining in ["2", "1", "0"] {
        let response = get(&sim, DAILY).await;
        assert_eq!((response.status, response.header("X-RateLimit-Remaining")), (200, Some(remaining)));
    }
    let refusal = get(&sim, DAILY).await;
    assert_eq!((refusal.status, refusal.message().as_str()), (429, "too many requests."));
    assert_eq!(refusal.header("X-RateLimit-Limit"), Some("3"));
    assert_eq!(refusal.header("X-RateLimit-Reset"), Some("1717416060"));

    sim.set_now(start + TimeDelta::seconds(60));
    assert_eq!(get(&sim, DAILY).await.status, 200);
    let requests = sim.requests();
    assert_eq!((requests.total, requests.bars, requests.limited, requests.peak_minute), (5, 4, 1, 4));
}

#[tokio::test]
async fn keys_are_asked_for() {
    let sim = AlpacaSim::options().with_keys("id", "kept").start().await.unwrap();
    assert_eq!(get_with(&sim, DAILY, &[]).await.status, 401);
    assert_eq!(get(&sim, DAILY).await.status, 403);
    let right = ["APCA-API-KEY-ID: id", "APCA-API-SECRET-KEY: kept"];
    assert_eq!(get_with(&sim, DAILY, &right).await.status, 200);
}

#[tokio::test]
async fn an_address_beyond_eight_kilobytes_is_refused_in_html() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let symbols = "AAPL,".repeat(1700);
    let response = get(&sim, &format!("/v2/stocks/bars?symbols={symbols}&timeframe=1Day")).await;
    assert_eq!((response.status, response.header("Content-Type")), (414, Some("text/html")));
    assert!(response.header("X-Request-ID").is_some());
    assert_eq!(sim.requests().total, 1, "what is refused is seen");
}

#[tokio::test]
async fn what_is_no_request_ends_the_connection() {
    let sim = AlpacaSim::options().start().await.unwrap();
    assert!(exchange(&sim, b"\x16\x03\x01 not http\r\n\r\n").await.starts_with(b"HTTP/1.1 400"));
    assert!(exchange(&sim, b"POST /v2/stocks/bars HTTP/1.1\r\n\r\n").await.starts_with(b"HTTP/1.1 405"));
    assert_eq!(get(&sim, "/v2/stocks").await.status, 404);
}

#[tokio::test]
async fn a_connection_serves_many_requests_until_it_is_told_to_close() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let request = |version, more| {
        format!("GET /v2/clock {version}\r\nAPCA-API-KEY-ID: k\r\nAPCA-API-SECRET-KEY: s\r\n{more}\r\n")
    };
    let pipelined = request("HTTP/1.1", "") + &request("HTTP/1.1", "Connection: close\r\n");
    let answers = String::from_utf8(exchange(&sim, pipelined.as_bytes()).await).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
    let old = exchange(&sim, request("HTTP/1.0", "").as_bytes()).await;
    assert!(old.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn the_trading_endpoints_have_a_limit_of_their_own() {
    let now = "2024-06-03T12:00:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_now(now).with_plan(Plan::PLUS).start().await.unwrap();
    assert_eq!(get(&sim, "/v2/clock").await.header("X-RateLimit-Limit"), Some("200"));
    assert_eq!(get(&sim, DAILY).await.header("X-RateLimit-Remaining"), Some("9999"));
}

#[tokio::test]
async fn time_can_come_from_the_callers_clock() {
    let clock = || "2024-07-03T14:00:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_clock(clock).start().await.unwrap();
    assert_eq!(get(&sim, "/v2/clock").await.json()["is_open"], true);
}

#[tokio::test]
async fn every_form_of_credentials_is_taken() {
    let sim = AlpacaSim::options().with_keys("id", "kept").start().await.unwrap();
    // id:kept and id:guessed in base64.
    assert_eq!(get_with(&sim, DAILY, &["Authorization: Basic aWQ6a2VwdA=="]).await.status, 200);
    assert_eq!(get_with(&sim, DAILY, &["Authorization: Basic aWQ6Z3Vlc3NlZA=="]).await.status, 403);
    assert_eq!(get_with(&sim, DAILY, &["APCA-API-KEY-ID: id"]).await.status, 401);
    let open = AlpacaSim::options().start().await.unwrap();
    assert_eq!(get_with(&open, DAILY, &["Authorization: Bearer token"]).await.status, 200);
}

#[tokio::test]
async fn every_answer_tells_the_time_by_the_simulators_clock() {
    let sim = AlpacaSim::options().with_now("1994-11-06T08:49:37Z".parse().unwrap()).start().await.unwrap();
    let long = format!("/v2/clock?{}", "x".repeat(9000));
    for target in [DAILY, "/v2/clock", "/nowhere", "/v2/stocks/bars?symbols=3USL&timeframe=1Day", &long] {
        assert_eq!(get(&sim, target).await.header("Date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"), "{target}");
    }
    sim.inject(barkeep_alpaca_sim::WireFault::LengthTooShort);
    assert!(get(&sim, DAILY).await.header("Date").is_some());
}
