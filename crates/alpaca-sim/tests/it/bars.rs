//! What a request for bars gets, and what it does not.

use barkeep_alpaca_sim::{AlpacaSim, DefaultFeed, Plan};

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

fn volumes(json: &serde_json::Value) -> Vec<f64> {
    json["bars"]["AAPL"].as_array().unwrap().iter().map(|bar| bar["v"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn a_recent_bar_changes_until_it_has_settled() {
    let at = |text: &str| text.parse().unwrap();
    let sim = AlpacaSim::options().with_now(at("2024-03-04T16:00:00Z")).start().await.unwrap();
    let path = "/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2024-03-04T15:40:00Z&end=2024-03-04T15:59:00Z";
    let early = volumes(&get(&sim, path).await.json());
    sim.set_now(at("2024-03-04T16:15:00Z"));
    let late = volumes(&get(&sim, path).await.json());
    let changed = early.iter().zip(&late).map(|(early, late)| early != late);
    // 15:40 to 15:44 had ended a quarter of an hour before.
    assert_eq!(changed.collect::<Vec<_>>(), (0..20).map(|minute| minute >= 5).collect::<Vec<_>>());

    let settled = AlpacaSim::options().with_now(at("2024-03-04T16:00:00Z")).with_settling(std::time::Duration::ZERO);
    let settled = settled.start().await.unwrap();
    assert_eq!(volumes(&get(&settled, path).await.json()), late);
}

#[tokio::test]
async fn time_left_out_is_today_as_far_as_the_plan_allows() {
    let now = "2024-03-04T18:00:30Z".parse().unwrap();
    for (plan, last) in [(Plan::BASIC, "2024-03-04T17:45:00Z"), (Plan::PLUS, "2024-03-04T17:59:00Z")] {
        let sim = AlpacaSim::options().with_now(now).with_plan(plan).start().await.unwrap();
        let json = get(&sim, "/v2/stocks/bars?symbols=AAPL&timeframe=1Min").await.json();
        let bars = json["bars"]["AAPL"].as_array().unwrap();
        assert_eq!(
            (bars[0]["t"].as_str(), bars.last().unwrap()["t"].as_str()),
            (Some("2024-03-04T09:00:00Z"), Some(last))
        );
    }
}

#[tokio::test]
async fn a_request_without_feed_gets_the_best_one_if_so_set() {
    let now = "2024-03-04T18:00:00Z".parse().unwrap();
    let options = || AlpacaSim::options().with_now(now).with_plan(Plan::BASIC);
    let path = |feed| {
        format!("/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2024-03-04T17:00:00Z&end=2024-03-04T18:00:00Z{feed}")
    };
    let plain = options().start().await.unwrap();
    assert_eq!(get(&plain, &path("")).await.status, 403);
    let kind = options().with_default_feed(DefaultFeed::BestAllowed).start().await.unwrap();
    assert_eq!(get(&kind, &path("")).await.body, get(&kind, &path("&feed=iex")).await.body);
}

#[tokio::test]
async fn splits_and_renames_are_told_by_parameters() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let closes = |path: String| {
        let sim = &sim;
        async move {
            let json = get(sim, &format!("/v2/stocks/bars?timeframe=1Day&{path}")).await.json();
            let (_, bars) = json["bars"].as_object().unwrap().iter().next().unwrap();
            bars.as_array().unwrap().iter().map(|bar| bar["c"].as_f64().unwrap()).collect::<Vec<_>>()
        }
    };
    let nvidia = |adjustment| format!("symbols=NVDA&start=2024-06-07&end=2024-06-10&adjustment={adjustment}");
    let (raw, split) = (closes(nvidia("raw")).await, closes(nvidia("all")).await);
    assert!(
        raw[0] / raw[1] > 9.0 && (split[0] - raw[0] / 10.0).abs() < 0.001 && split[1] == raw[1],
        "{raw:?} {split:?}"
    );

    let days = |query| closes(format!("start=2022-06-07&end=2022-06-10&{query}"));
    assert_eq!(days("symbols=META").await.len(), 4);
    assert_eq!(days("symbols=META&asof=-").await.len(), 2);
    assert_eq!(days("symbols=FB").await.len(), 2);
    assert_eq!(days("symbols=FB&asof=2022-06-01").await, days("symbols=META").await);
}
