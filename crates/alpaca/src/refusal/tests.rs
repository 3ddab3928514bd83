use barkeep_provider::Retry;
use barkeep_types::{Feed, TimeRange, Timeframe};
use reqwest::header::{HeaderMap, HeaderValue};

use super::*;

fn request(symbols: &[&str]) -> BarsRequest {
    let range =
        TimeRange::new("2024-03-04T14:30:00Z".parse().unwrap(), "2024-03-04T21:00:00Z".parse().unwrap()).unwrap();
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap());
    BarsRequest::new(symbols, Timeframe::M1, Feed::SIP, range).unwrap()
}

fn refused(status: u16, body: &str) -> Refused {
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", HeaderValue::from_static("r-1"));
    let status = StatusCode::from_u16(status).unwrap();
    Refused { status, headers, bytes: body.as_bytes().to_vec() }
}

fn meaning(status: u16, body: &str) -> Error {
    of_bars(refused(status, body), &request(&["AAPL", "BRK-B", "3USL"]), None)
}

#[test]
fn each_status_means_what_the_vendor_documents() {
    for (status, body, code, retry) in [
        (400, r#"{"message":"unexpected query parameter(s): x"}"#, "VALIDATION_ERROR", Retry::Never),
        (400, r#"{"message":"invalid timeframe: 7Min"}"#, "INVALID_TIMEFRAME", Retry::Never),
        (400, r#"{"message":"invalid symbol: 3USL"}"#, "INVALID_SYMBOL", Retry::Never),
        (401, "", "AUTHENTICATION_ERROR", Retry::Never),
        (403, r#"{"message":"forbidden."}"#, "AUTHENTICATION_ERROR", Retry::Never),
        (403, r#"{"message":"subscription does not permit querying otc data"}"#, "PERMISSION_DENIED", Retry::Never),
        (404, "404 page not found", "SYMBOL_NOT_FOUND", Retry::Never),
        (408, "", "SERVICE_UNAVAILABLE", Retry::Backoff),
        (409, "", "VALIDATION_ERROR", Retry::Never),
        (414, "<html>414</html>", "VALIDATION_ERROR", Retry::Never),
        (422, r#"{"code":42210000,"message":"invalid timeframe"}"#, "INVALID_TIMEFRAME", Retry::Never),
        (429, "too many requests.", "RATE_LIMIT_EXCEEDED", Retry::Backoff),
        (500, "", "SERVICE_UNAVAILABLE", Retry::Backoff),
        (502, "<html>bad gateway</html>", "SERVICE_UNAVAILABLE", Retry::Backoff),
        (503, "", "SERVICE_UNAVAILABLE", Retry::Backoff),
        (504, "<html>timeout</html>", "SERVICE_UNAVAILABLE", Retry::Backoff),
    ] {
        let error = meaning(status, body);
        assert_eq!((error.code(), error.retry()), (code, retry), "{status} {body}");
        if code != "INVALID_TIMEFRAME" {
            assert_eq!(error.request_id(), Some("r-1"), "{status} {body}");
        }
    }
}

#[test]
fn the_symbol_that_the_vendor_names_is_found() {
    for (body, symbol) in [
        (r#"{"message":"invalid symbol: 3USL"}"#, Some("3USL")),
        (r#"{"message":"code=400, message=invalid symbol: BRK-B"}"#, Some("BRK-B")),
        (r#"{"code":42210000,"message":"invalid symbol(s): brk-b, 3usl"}"#, Some("BRK-B")),
        ("invalid symbol: AAPL.", Some("AAPL")),
        (r#"{"message":"invalid symbol: ZZZZ"}"#, None),
        (r#"{"message":"invalid symbols"}"#, None),
    ] {
        let Error::InvalidSymbol { symbol: named, .. } = meaning(400, body) else {
            panic!("{body}");
        };
        assert_eq!(named.as_ref().map(Symbol::as_str), symbol, "{body}");
    }
}

#[test]
fn recent_data_is_told_from_bad_credentials() {
    for (status, body) in [
        (403, r#"{"message":"subscription does not permit querying recent SIP data"}"#),
        (403, r#"{"code":42210000,"message":"subscription does not permit querying recent SIP data"}"#),
        (422, r#"{"message":"your subscription does not permit querying data from the past 15 minutes"}"#),
        (422, r#"{"message":"end is too late for subscription"}"#),
    ] {
        let error = meaning(status, body);
        assert!(matches!(error, Error::TooRecent { .. }), "{error}");
        assert!(error.to_string().contains("15 minutes ago"), "{error}");
    }
}

#[test]
fn a_token_is_refused_only_where_one_was_sent() {
    let body = r#"{"message":"invalid page_token"}"#;
    let token = PageToken::new("x");
    let with = of_bars(refused(400, body), &request(&["AAPL"]), token.as_ref());
    assert!(matches!(with, Error::TokenRefused { .. }), "{with}");
    assert!(matches!(meaning(400, body), Error::Rejected { .. }));
}
