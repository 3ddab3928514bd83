//! Calendar, assets and corporate actions, from the simulator.

use std::time::Duration;

use barkeep_alpaca::{Alpaca, AssetClass};
use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Listing, Market, Plan, WireFault};
use barkeep_provider::{ProviderExt, RateLimited, RetryPolicy};
use barkeep_types::{Adjustment, Feed, Series, Timeframe};
use chrono::NaiveDate;
use futures::TryStreamExt;
use wiremock::matchers::{path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{client, request};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn start(market: Market) -> (AlpacaSim, Alpaca) {
    let options = AlpacaSim::options().with_market(market).with_now("2024-07-10T12:00:00Z".parse().unwrap());
    let sim = options.start().await.unwrap();
    let alpaca = client(&sim.base_url()).with_trading_url(&sim.base_url()).unwrap();
    (sim, alpaca)
}

#[tokio::test]
async fn sessions_are_the_exchanges_with_holidays_and_early_closes() {
    let (_sim, alpaca) = start(Market::new(7)).await;
    let sessions = alpaca.sessions(day("2024-07-01")..=day("2024-07-05")).await.unwrap();
    let shown: Vec<_> = sessions.iter().map(|session| format!("{} {}", session.date(), session.close())).collect();
    assert_eq!(
        shown,
        [
            "2024-07-01 2024-07-01 20:00:00 UTC",
            "2024-07-02 2024-07-02 20:00:00 UTC",
            "2024-07-03 2024-07-03 17:00:00 UTC",
            "2024-07-05 2024-07-05 20:00:00 UTC",
        ]
    );
}

#[tokio::test]
async fn the_universe_is_what_is_active_tradable_and_on_an_exchange() {
    let listing = |symbol: &str| Listing::new(symbol.parse().unwrap());
    let market = Market::empty(7)
        .with_listing(listing("AAPL"))
        .with_listing(listing("BRK.B").with_exchange("NYSE"))
        .with_listing(listing("OTCM").with_exchange("OTC"))
        .with_listing(listing("GONE").listed_until(day("2020-01-02")))
        .with_listing(listing("BTC/USD"));
    let (_sim, alpaca) = start(market).await;
    let universe = async |class, exchanges: &[&str]| {
        let symbols = alpaca.universe(class, exchanges).await.unwrap();
        symbols.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(universe(AssetClass::Stock, &[]).await, ["AAPL", "BRK.B"]);
    assert_eq!(universe(AssetClass::Stock, &["NYSE"]).await, ["BRK.B"]);
    assert_eq!(universe(AssetClass::Crypto, &[]).await, ["BTC/USD"]);
    let gone = alpaca.assets(AssetClass::Stock).await.unwrap();
    assert!(gone.iter().any(|asset| asset.symbol.as_str() == "GONE" && !asset.is_active));
}

#[tokio::test]
async fn series_that_a_corporate_action_rewrote_are_stale() {
    let listing = |symbol: &str| Listing::new(symbol.parse().unwrap());
    let market = Market::empty(7)
        .with_listing(listing("NVDA").with_split(day("2024-06-10"), 10.0, 1.0))
        .with_listing(listing("AAPL").with_dividend(day("2024-05-10"), 0.25))
        .with_listing(listing("META").renamed_from("FB".parse().unwrap(), day("2022-06-09")));
    let (_sim, alpaca) = start(market).await;
    let series = |symbol: &str, adjustment| Series {
        symbol: symbol.parse().unwrap(),
        timeframe: Timeframe::D1,
        feed: Feed::SIP,
        adjustment,
    };
    let kept = [
        series("AAPL", Adjustment::RAW),
        series("AAPL", Adjustment::DIVIDEND),
        series("META", Adjustment::RAW),
        series("NVDA", Adjustment::RAW),
        series("NVDA", Adjustment::SPLIT),
    ];
    let stale = async |from: &str| {
        let stale = alpaca.stale(&kept, day(from)..=day("2024-07-10")).await.unwrap();
        stale.iter().map(|series| format!("{} {}", series.symbol, series.adjustment)).collect::<Vec<_>>()
    };
    assert_eq!(stale("2024-06-11").await, [""; 0]);
    assert_eq!(stale("2024-06-01").await, ["NVDA split"]);
    assert_eq!(stale("2024-05-01").await, ["AAPL dividend", "NVDA split"]);
    assert_eq!(stale("2022-01-01").await, ["AAPL dividend", "META raw", "NVDA split"]);
}

/// A client that tries again at once.
async fn start_hasty(plan: Plan) -> (AlpacaSim, Alpaca) {
    let now = "2024-07-10T12:00:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_now(now).with_plan(plan).start().await.unwrap();
    let alpaca = client(&sim.base_url()).with_trading_url(&sim.base_url()).unwrap();
    (sim, alpaca.with_retries(RetryPolicy::default().with_first_wait(Duration::from_millis(1))))
}

#[tokio::test]
async fn what_is_asked_besides_bars_rides_out_blips_too() {
    let (sim, alpaca) = start_hasty(Plan::UNLIMITED).await;
    for path in ["/v2/calendar", "/v2/assets", "/v1/corporate-actions"] {
        sim.inject(Injection::of(AnswerFault::HtmlStatus(502)).when(path));
        sim.inject(Injection::of(WireFault::CloseBeforeAnswer).when(path));
        sim.inject(Injection::of(AnswerFault::TruncatedJson).when(path));
    }
    let dates = || day("2024-07-01")..=day("2024-07-05");
    assert_eq!(alpaca.sessions(dates()).await.unwrap().len(), 4);
    assert!(!alpaca.assets(AssetClass::Stock).await.unwrap().is_empty());
    alpaca.corporate_actions(&[], dates()).await.unwrap();
    assert_eq!((sim.requests().total, sim.requests().faults), (12, 9));

    sim.inject(Injection::of(AnswerFault::Status(503)).when("/v2/calendar").times(usize::MAX));
    assert_eq!(alpaca.sessions(dates()).await.unwrap_err().code(), "SERVICE_UNAVAILABLE");
    assert_eq!(sim.requests().total, 12 + 4, "a try and three more");
    sim.clear_faults();
    sim.inject(Injection::of(AnswerFault::Status(401)).when("/v2/calendar").times(usize::MAX));
    assert_eq!(alpaca.sessions(dates()).await.unwrap_err().code(), "AUTHENTICATION_ERROR");
    assert_eq!(sim.requests().total, 12 + 4 + 1, "refused credentials are not sent again");
}

/// Whether it is still waiting for its turn after a while. Its turn is most of a minute away.
async fn waits<T>(future: impl Future<Output = T>) -> bool {
    tokio::time::timeout(Duration::from_millis(300), future).await.is_err()
}

#[tokio::test]
async fn what_is_asked_besides_bars_keeps_to_the_limit() {
    let (sim, alpaca) = start_hasty(Plan::BASIC.with_requests_a_minute(2)).await;
    let dates = || day("2024-07-01")..=day("2024-07-05");
    for _ in 0..2 {
        alpaca.sessions(dates()).await.unwrap();
    }
    // The server said that it allows two, and so the third is held back; a clone is no way around it.
    assert!(waits(alpaca.sessions(dates())).await && waits(alpaca.clone().assets(AssetClass::Stock)).await);
    assert_eq!((sim.requests().total, sim.requests().limited), (2, 0));
    // The market data have a limit of their own, of which bars and corporate actions take their shares.
    let bars = RateLimited::new(alpaca.clone()).with_allowance(alpaca.allowance());
    alpaca.corporate_actions(&[], dates()).await.unwrap();
    bars.bars(request(&["AAPL"])).try_collect::<Vec<_>>().await.unwrap();
    assert!(waits(alpaca.corporate_actions(&[], dates())).await);
    assert!(waits(bars.bars(request(&["AAPL"])).try_collect::<Vec<_>>()).await);
    assert_eq!((sim.requests().total, sim.requests().limited), (4, 0));
}

#[tokio::test]
async fn tokens_that_lead_round_in_a_circle_end_a_list_of_corporate_actions() {
    let server = MockServer::start().await;
    for (token, next) in [(None, "a"), (Some("a"), "b"), (Some("b"), "a")] {
        let mock = Mock::given(path("/v1/corporate-actions"));
        let mock = match token {
            None => mock.and(query_param_is_missing("page_token")),
            Some(token) => mock.and(query_param("page_token", token)),
        };
        let body = format!(r#"{{"corporate_actions":{{}},"next_page_token":"{next}"}}"#);
        mock.respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    }
    let asked = client(&server.uri()).corporate_actions(&[], day("2024-07-01")..=day("2024-07-05")).await;
    assert_eq!(asked.unwrap_err().code(), "PAGINATION_LOOP");
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}
