//! What is sent, and what a polite answer becomes.

use barkeep_alpaca::{Alpaca, ConfigError, Credentials};
use barkeep_provider::{Error, PageToken, Provider, ProviderExt, Quota};
use futures::{StreamExt, TryStreamExt};
use wiremock::matchers::{header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::raw_server::{RawServer, Then, ok};
use crate::{PAGE, client, request};

#[tokio::test]
async fn a_page_is_asked_for_with_credentials_gzip_and_every_parameter() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/v2/stocks/bars"))
        .and(header("apca-api-key-id", "canary-key"))
        .and(header("apca-api-secret-key", "canary-secret"))
        .and(header("accept-encoding", "gzip"))
        .and(header("user-agent", concat!("barkeep/", env!("CARGO_PKG_VERSION"))))
        .and(query_param("symbols", "AAPL,MSFT"))
        .and(query_param("timeframe", "1Min"))
        .and(query_param("start", "2024-03-04T14:30:00Z"))
        .and(query_param("end", "2024-03-04T20:59:59Z"))
        .and(query_param("limit", "10000"))
        .and(query_param("feed", "sip"))
        .and(query_param("adjustment", "raw"))
        .and(query_param_is_missing("page_token"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_string(PAGE)
                .insert_header("x-request-id", "r-7")
                .insert_header("x-ratelimit-limit", "200")
                .insert_header("x-ratelimit-remaining", "150"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let page = client(&server.uri()).page(&request(&["MSFT", "AAPL"]), None).await.unwrap();
    assert_eq!(page.bars.len(), 1);
    assert_eq!((page.next, page.request_id.as_deref()), (None, Some("r-7")));
    assert_eq!(page.quota, Some(Quota { limit: 200, remaining: 150, resets_in: None }));
}

#[tokio::test]
async fn tokens_are_followed_with_everything_else_unchanged() {
    let server = MockServer::start().await;
    let bar = |minute: &str| format!(r#"{{"t":"2024-03-04T14:{minute}:00Z","o":1,"h":1,"l":1,"c":1,"v":1}}"#);
    let first = format!(r#"{{"bars":{{"AAPL":[{},{}]}},"next_page_token":"a+b/c="}}"#, bar("30"), bar("31"));
    let second = format!(r#"{{"bars":{{"AAPL":[{}],"MSFT":[{}]}}}}"#, bar("32"), bar("30"));
    for (token, body) in [(None, first), (Some("a+b/c="), second)] {
        let mock = Mock::given(path("/v2/stocks/bars")).and(query_param("symbols", "AAPL,MSFT"));
        let mock = match token {
            None => mock.and(query_param_is_missing("page_token")),
            Some(token) => mock.and(query_param("page_token", token)),
        };
        mock.respond_with(ResponseTemplate::new(200).set_body_string(body)).expect(1).mount(&server).await;
    }
    let alpaca = client(&server.uri());
    let bars: Vec<_> = alpaca.bars(request(&["AAPL", "MSFT"])).try_collect().await.unwrap();
    let names: Vec<_> = bars.iter().map(|(symbol, _)| symbol.as_str()).collect();
    assert_eq!(names, ["AAPL", "AAPL", "AAPL", "MSFT"]);
}

#[tokio::test]
async fn a_range_without_a_whole_second_needs_no_request() {
    let server = MockServer::start().await;
    let request =
        crate::over(&["AAPL"], barkeep_types::Timeframe::M1, "2024-03-04T14:30:00.2Z", "2024-03-04T14:30:00.4Z");
    let pages: Vec<_> = client(&server.uri()).pages(request.clone()).try_collect().await.unwrap();
    assert_eq!(pages[0].proofs[0].range, request.range());
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn five_thousand_symbols_are_asked_for_in_parts() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/stocks/bars"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"bars":{}}"#))
        .mount(&server)
        .await;
    let names: Vec<String> = (0..5000).map(|n| format!("S{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let alpaca = client(&server.uri());
    let error = alpaca.page(&request(&names), None).await.unwrap_err();
    assert!(matches!(error, Error::RequestTooLarge { .. }), "{error}");

    let mut fetch = alpaca.fetch(request(&names));
    let fetched: Vec<_> = fetch.by_ref().try_collect().await.unwrap();
    assert_eq!((fetched.len(), fetch.calls()), (25, 25));
    assert_eq!(server.received_requests().await.unwrap().len(), 25);
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_a_byte_is_sent() {
    let credentials = || Credentials::new("canary-key", "canary-secret").unwrap();
    for url in ["http://data.alpaca.markets", "http://192.0.2.1:80", "https://evil.example"] {
        assert!(Alpaca::new(credentials()).with_base_url(url).is_err(), "{url}");
    }
    let error = Alpaca::new(credentials()).with_base_url("https://evil.example").unwrap_err();
    assert_eq!(error, ConfigError::UnknownHost("evil.example".to_owned()));
}

#[tokio::test]
async fn a_hostile_token_cannot_alter_the_request() {
    let server = RawServer::start(ok("", PAGE.as_bytes()), Then::Close).await;
    let alpaca = client(&server.url);
    let hostile =
        ["&symbols=X", "#x", "../../x", "x\r\nhost: evil.example", "x HTTP/1.1\n\n", "http://169.254.169.254/", "\0é"];
    for token in hostile {
        alpaca.page(&request(&["AAPL"]), PageToken::new(token).as_ref()).await.unwrap();
    }
    let plain = "GET /v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2024-03-04T14%3A30%3A00Z\
                 &end=2024-03-04T20%3A59%3A59Z&limit=10000&adjustment=raw&feed=sip&page_token=";
    for head in server.requests() {
        let line = head.lines().next().unwrap();
        let token = line.strip_prefix(plain).and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap();
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%.+_-*".contains(&byte)), "{line}");
        assert!(!head.contains("evil.example\r\n") && head.matches("host: ").count() == 1, "{head}");
    }
    assert_eq!(server.requests().len(), hostile.len());
}

#[tokio::test]
async fn a_hostile_symbol_cannot_alter_the_request() {
    let server = RawServer::start(ok("", br#"{"bars":{}}"#), Then::Close).await;
    let hostile = ["A&feed=otc", "A#", "A?x", "A B", "A\r\nhost: evil.example", "A%26", "../A", "A,B", "", "Ä", "A=B"];
    for text in hostile {
        assert!(text.parse::<barkeep_types::Symbol>().is_err(), "{text:?}");
    }
    // What a symbol may hold beside letters and digits stays within its parameter.
    client(&server.url).page(&request(&["A.B-C/D", "BRK.B"]), None).await.unwrap();
    let requests = server.requests();
    let line = requests[0].lines().next().unwrap();
    assert!(line.starts_with("GET /v2/stocks/bars?symbols=A.B-C%2FD%2CBRK.B&timeframe="), "{line}");
}
