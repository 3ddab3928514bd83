//! What a request for bars gets, and what it does not.

use barkeep_alpaca_sim::{AlpacaSim, Plan};

use crate::http::{get, get_with};

#[tokio::test]
async fn the_end_is_inclusive() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let path = "/v2/stocks/bars?symbols=AAPL&timeframe=15Min&start=2024-03-04T16:00:00Z&end=2024-03-04T17:00:00Z";
    let json = get(&sim, path).await.json();
    let starts: Vec<_> =
        json["bars"]["AAPL"].as_array().unwrap().iter().map(|bar| bar["t"].as_str().unwrap()).collect();
    let expected = ["16:00", "16:15", "16:30", "16:45", "17:00"].map(|time| format!("2024-03-04T{time}:00Z"));
    assert_eq!(starts, expected);
}

#[tokio::test]
async fn an_unknown_symbol_is_left_out_and_a_malformed_one_refuses_all() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let path = |symbols| format!("/v2/stocks/bars?symbols={symbols}&timeframe=1Day&start=2024-03-04&end=2024-03-08");
    let json = get(&sim, &path("AAPL,ZTST")).await.json();
    assert_eq!(json["bars"].as_object().unwrap().keys().collect::<Vec<_>>(), ["AAPL"]);
    let json = get(&sim, &path("ZTST")).await.json();
    assert_eq!(json.to_string(), r#"{"bars":{},"next_page_token":null}"#);
    let refusal = get(&sim, &path("AAPL,3USL,BRK-B")).await;
    assert_eq!((refusal.status, refusal.message().as_str()), (400, "invalid symbol: 3USL"));
}

#[tokio::test]
async fn a_single_symbol_has_a_shape_of_its_own() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let json = get(&sim, "/v2/stocks/aapl/bars?timeframe=1Day&start=2024-03-04&end=2024-03-08").await.json();
    assert_eq!((json["symbol"].as_str(), json["bars"].as_array().unwrap().len()), (Some("AAPL"), 5));
    let json = get(&sim, "/v2/stocks/ZTST/bars?timeframe=1Day&start=2024-03-04&end=2024-03-08").await.json();
    assert!(json["bars"].is_null());
}

#[tokio::test]
async fn crypto_trades_around_the_clock_and_needs_no_keys() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let path = "/v1beta3/crypto/us/bars?symbols=BTC%2FUSD&timeframe=1Day&start=2024-03-01&end=2024-03-10";
    let json = get_with(&sim, path, &[]).await.json();
    let bars = json["bars"]["BTC/USD"].as_array().unwrap();
    assert_eq!((bars.len(), bars[0]["t"].as_str()), (10, Some("2024-03-01T00:00:00Z")));
    assert_eq!(get(&sim, &format!("{path}&feed=sip")).await.status, 400);
}

#[tokio::test]
async fn without_the_right_to_it_recent_consolidated_data_is_refused() {
    let now = "2024-03-04T18:00:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_now(now).with_plan(Plan::BASIC).start().await.unwrap();
    let path =
        |end, feed| format!("/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2024-03-04T15:00:00Z&end={end}{feed}");
    let refusal = get(&sim, &path("2024-03-04T17:45:01Z", "&feed=sip")).await;
    assert_eq!(refusal.status, 403);
    assert_eq!(refusal.message(), "subscription does not permit querying recent SIP data");
    assert_eq!(get(&sim, &path("2024-03-04T17:45:00Z", "&feed=sip")).await.status, 200);
    assert_eq!(get(&sim, &path("2024-03-04T18:00:00Z", "&feed=iex")).await.status, 200);
    assert_eq!(get(&sim, &path("2024-03-04T18:00:00Z", "&feed=otc")).await.status, 403);
}

#[tokio::test]
async fn start_after_end_is_refused() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let refusal = get(&sim, "/v2/stocks/bars?symbols=A&timeframe=1Day&start=2024-03-05&end=2024-03-01").await;
    assert_eq!(refusal.status, 400);
    assert!(refusal.message().starts_with("end should not be before start"), "{}", refusal.message());
}
