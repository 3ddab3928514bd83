//! Calendar, clock, assets and corporate actions.

use barkeep_alpaca_sim::{AlpacaSim, Listing, Manner, Market};
use barkeep_calendar::{Nyse, Overrides};
use chrono::NaiveDate;
use serde_json::json;

use crate::http::{encoded, get, get_with};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_calendar_knows_early_closes_and_leaves_out_holidays() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let days = get(&sim, "/v2/calendar?start=2024-07-02&end=2024-07-05").await.json();
    assert_eq!(
        days,
        json!([
            { "date": "2024-07-02", "open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000", "settlement_date": "2024-07-03" },
            { "date": "2024-07-03", "open": "09:30", "close": "13:00", "session_open": "0400", "session_close": "1700", "settlement_date": "2024-07-05" },
            { "date": "2024-07-05", "open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000", "settlement_date": "2024-07-08" },
        ])
    );
    let settled = get(&sim, "/v2/calendar?start=2024-07-05&end=2024-07-05&date_type=SETTLEMENT").await.json();
    assert_eq!(settled[0]["date"], "2024-07-03");
    let all = get(&sim, "/v2/calendar").await.json();
    assert_eq!(all.as_array().unwrap().last().unwrap()["date"], "2029-12-31");
}

#[tokio::test]
async fn a_closure_that_no_rule_foresees_empties_the_day() {
    let market = Market::new(1).with_calendar(Overrides::new(Nyse).with_closure(date("2024-03-05")));
    let sim = AlpacaSim::options().with_market(market).start().await.unwrap();
    let days = get(&sim, "/v2/calendar?start=2024-03-04&end=2024-03-06").await.json();
    assert_eq!(days.as_array().unwrap().len(), 2);
    let bars = get(&sim, "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2024-03-04&end=2024-03-06").await.json();
    assert_eq!(bars["bars"]["AAPL"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_clock_tells_the_next_open_and_close() {
    let now = "2024-07-03T17:30:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_now(now).start().await.unwrap();
    assert_eq!(
        get(&sim, "/v2/clock").await.json(),
        json!({
            "timestamp": "2024-07-03T13:30:00-04:00",
            "is_open": false,
            "next_open": "2024-07-05T09:30:00-04:00",
            "next_close": "2024-07-05T16:00:00-04:00",
        })
    );
}

#[tokio::test]
async fn assets_are_listed_with_what_makes_a_universe() {
    let market = Market::empty(1)
        .with_listing(Listing::new("GONE".parse().unwrap()).listed_until(date("2022-01-03")))
        .with_listing(Listing::new("HERE".parse().unwrap()).with_name("Here Inc.").with_exchange("NYSE"))
        .with_listing(Listing::new("PINK".parse().unwrap()).with_exchange("OTC"))
        .with_listing(Listing::new("BTC/USD".parse().unwrap()));
    let sim = AlpacaSim::options().with_market(market).start().await.unwrap();
    let symbols = |path: &'static str| {
        let sim = &sim;
        async move {
            let assets = get(sim, path).await.json();
            let assets = assets.as_array().unwrap().iter().map(|asset| asset["symbol"].as_str().unwrap().to_owned());
            assets.collect::<Vec<_>>()
        }
    };
    assert_eq!(symbols("/v2/assets").await, ["GONE", "HERE", "PINK"]);
    assert_eq!(symbols("/v2/assets?status=active").await, ["HERE", "PINK"]);
    assert_eq!(symbols("/v2/assets?status=active&exchange=NYSE").await, ["HERE"]);
    assert_eq!(symbols("/v2/assets?asset_class=crypto").await, ["BTC/USD"]);

    let here = get(&sim, "/v2/assets/HERE").await.json();
    assert_eq!(
        (&here["name"], &here["tradable"], &here["class"]),
        (&json!("Here Inc."), &json!(true), &json!("us_equity"))
    );
    let id = here["id"].as_str().unwrap();
    assert_eq!(get(&sim, &format!("/v2/assets/{id}")).await.json(), here);
    assert_eq!(get(&sim, "/v2/assets/BTC%2FUSD").await.status, 200);
    assert_eq!(get(&sim, "/v2/assets/PINK").await.json()["tradable"], false);
    let missing = get(&sim, "/v2/assets/NONE").await;
    assert_eq!((missing.status, missing.message().as_str()), (404, "asset not found for NONE"));
}

#[tokio::test]
async fn corporate_actions_come_by_the_day_they_were_processed() {
    let market = Market::empty(1)
        .with_listing(
            Listing::new("META".parse().unwrap())
                .renamed_from("FB".parse().unwrap(), date("2022-06-09"))
                .with_dividend(date("2024-02-21"), 0.5),
        )
        .with_listing(Listing::new("NVDA".parse().unwrap()).with_split(date("2024-06-10"), 10.0, 1.0))
        .with_listing(Listing::new("GE".parse().unwrap()).with_split(date("2021-08-02"), 1.0, 8.0))
        .with_listing(Listing::new("MMM".parse().unwrap()).with_spin_off(
            date("2024-04-01"),
            "SOLV".parse().unwrap(),
            16.0,
        ));
    let now = "2024-06-10T12:00:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_market(market.clone()).with_now(now).start().await.unwrap();
    let actions = |query: &'static str| {
        let sim = &sim;
        async move { get(sim, &format!("/v1/corporate-actions{query}")).await.json()["corporate_actions"].clone() }
    };
    let today = actions("").await;
    assert_eq!(today["forward_splits"][0]["symbol"], "NVDA");
    assert_eq!(
        (&today["forward_splits"][0]["new_rate"], &today["forward_splits"][0]["ex_date"]),
        (&json!(10.0), &json!("2024-06-10"))
    );
    let all = actions("?start=2020-01-01&end=2024-12-31").await;
    let kinds: Vec<_> = all.as_object().unwrap().keys().cloned().collect();
    assert_eq!(kinds, ["cash_dividends", "forward_splits", "name_changes", "reverse_splits", "spin_offs"]);
    assert_eq!(all["name_changes"][0]["old_symbol"], "FB");
    let some = actions("?start=2020-01-01&end=2024-12-31&symbols=FB,GE&types=name_change,cash_dividend").await;
    assert_eq!(some.as_object().unwrap().keys().collect::<Vec<_>>(), ["name_changes"]);
    assert_eq!(get(&sim, "/v1/corporate-actions?types=party").await.status, 400);

    let first = get(&sim, "/v1/corporate-actions?start=2020-01-01&end=2024-12-31&limit=3").await.json();
    let token = encoded(first["next_page_token"].as_str().unwrap());
    let path = format!("/v1/corporate-actions?start=2020-01-01&end=2024-12-31&limit=3&page_token={token}");
    let last = get(&sim, &path).await.json();
    let count = |page: &serde_json::Value| -> usize {
        page["corporate_actions"].as_object().unwrap().values().map(|group| group.as_array().unwrap().len()).sum()
    };
    assert_eq!((count(&first), count(&last), last["next_page_token"].is_null()), (3, 2, true));

    let late = AlpacaSim::options().with_market(market).with_now(now).with_corporate_actions_late_by_days(3);
    let late = late.start().await.unwrap();
    assert_eq!(get(&late, "/v1/corporate-actions").await.json()["corporate_actions"], json!({}));
    late.set_now("2024-06-13T12:00:00Z".parse().unwrap());
    let path = "/v1/corporate-actions?start=2024-06-10&end=2024-06-10";
    assert!(get(&late, path).await.json()["corporate_actions"]["forward_splits"].is_array());
}

#[tokio::test]
async fn refusals_can_look_as_they_used_to() {
    let manner = Manner {
        missing_keys: 403,
        wrong_keys: 401,
        plain_too_many: true,
        retry_after: true,
        legacy_codes: true,
        days_in_utc: true,
    };
    let now = "2024-06-10T12:00:00Z".parse().unwrap();
    let plan = barkeep_alpaca_sim::Plan::BASIC.with_requests_a_minute(2);
    let options = AlpacaSim::options().with_now(now).with_manner(manner).with_plan(plan).with_keys("key", "secret");
    let sim = options.start().await.unwrap();
    let path = "/v2/stocks/bars?symbols=A&timeframe=1Fortnight";
    assert_eq!(get_with(&sim, path, &[]).await.status, 403);
    assert_eq!(get_with(&sim, path, &["APCA-API-KEY-ID: key", "APCA-API-SECRET-KEY: x"]).await.status, 401);
    let refusal = get(&sim, path).await;
    assert_eq!(
        (refusal.status, refusal.json()),
        (422, json!({ "code": 42_210_000, "message": "invalid timeframe: 1Fortnight" }))
    );
    let day = "/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2024-03-04&end=2024-03-04&limit=10000";
    let bars = get(&sim, day).await.json();
    assert!(bars["bars"]["AAPL"].as_array().unwrap().last().unwrap()["t"].as_str().unwrap() < "2024-03-05T00:00:00Z");
    let limited = get(&sim, day).await;
    assert_eq!((limited.status, limited.body.as_slice()), (429, b"too many requests.".as_slice()));
    assert_eq!(limited.header("Retry-After"), Some("60"));
}

#[tokio::test]
async fn every_answer_carries_an_id_and_packs_where_asked() {
    let sim = AlpacaSim::options().start().await.unwrap();
    let path = "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2024-01-01&end=2024-03-31";
    let (plain, missing) = (get(&sim, path).await, get(&sim, "/nowhere").await);
    assert!(plain.header("X-Request-ID").is_some());
    assert_ne!(plain.header("X-Request-ID"), missing.header("X-Request-ID"));
    let keys = ["APCA-API-KEY-ID: key", "APCA-API-SECRET-KEY: secret", "Accept-Encoding: br, gzip"];
    let packed = get_with(&sim, path, &keys).await;
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.body.as_slice()), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
}
