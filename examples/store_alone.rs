//! Bars and coverage without the rest: a page is committed, committed again, corrected, and read back.
//!
//!     cargo run -p examples --example store_alone
use barkeep_database::Sqlite;
use barkeep_store::{Commit, ProviderName, SqliteStore, State, Store};
use barkeep_types::{Adjustment, Bar, Feed, Series, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let database = Sqlite::open(folder.path().join("bars.db")).await?;
    let store = SqliteStore::open(&database, ProviderName::ALPACA).await?;

    let aapl =
        Series { symbol: "AAPL".parse()?, timeframe: Timeframe::H1, feed: Feed::SIP, adjustment: Adjustment::RAW };
    let session = TimeRange::new("2024-03-08T15:00:00Z".parse()?, "2024-03-08T21:00:00Z".parse()?)?;
    // The second hour is quiet: nothing traded, so the page has no bar for it.
    let bars: Vec<Bar> = [0, 2, 3, 4, 5].map(|hour| bar(session.start() + TimeDelta::hours(hour))).into();

    let page = Commit::new(session).with_bars(aapl.clone(), bars).with_proof(aapl.clone(), session, State::Covered);
    let first = store.commit(&page).await?;
    println!("first time:  {} inserted, {} unchanged", first.inserted, first.unchanged);
    let again = store.commit(&page).await?;
    println!("again:       {} inserted, {} unchanged", again.inserted, again.unchanged);

    let mut corrected = page.clone();
    corrected.bars[0].1[4].close = 170.5;
    let correction = store.commit(&corrected).await?;
    println!("a correction: {} revised, {} unchanged", correction.revised, correction.unchanged);

    for span in &store.coverage(std::slice::from_ref(&aapl), TimeRange::ALWAYS).await?[0] {
        println!("{} {} with {} bars", span.range, span.state, span.rows);
    }
    for bar in store.bars(&aapl, session, 100).await? {
        println!("{} close {}", bar.start, bar.close);
    }
    database.close().await;
    Ok(())
}

fn bar(start: DateTime<Utc>) -> Bar {
    Bar {
        start,
        open: 170.0,
        high: 171.0,
        low: 169.0,
        close: 170.25,
        volume: 52_000.0,
        vwap: Some(170.1),
        trade_count: Some(430),
    }
}
