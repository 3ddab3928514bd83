//! Calendar, assets and corporate actions, from the simulator.

use barkeep_alpaca::{Alpaca, AssetClass};
use barkeep_alpaca_sim::{AlpacaSim, Listing, Market};
use barkeep_types::{Adjustment, Feed, Series, Timeframe};
use chrono::NaiveDate;

use crate::client;

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
