//! Getting bars out again: as a stream, put together to five minutes, the latest ones, and what is missing.
//!
//!     cargo run -p examples --example query_bars
use barkeep_database::Sqlite;
use barkeep_store::{Commit, ProviderName, SqliteStore, State, Store, StoreExt, covered};
use barkeep_types::{Adjustment, Bar, Feed, Grid, Series, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let database = Sqlite::open(folder.path().join("bars.db")).await?;
    let store = SqliteStore::open(&database, ProviderName::ALPACA).await?;
    let session = TimeRange::new("2024-03-08T14:30:00Z".parse()?, "2024-03-08T21:00:00Z".parse()?)?;
    let series = [minutes_of("AAPL")?, minutes_of("MSFT")?];
    for (series, minutes) in series.iter().zip([390, 120]) {
        let fetched = TimeRange::new(session.start(), session.start() + TimeDelta::minutes(minutes))?;
        let bars = (0..minutes).map(|minute| bar(session.start() + TimeDelta::minutes(minute), minute)).collect();
        let page = Commit::new(session).with_bars(series.clone(), bars);
        store.commit(&page.with_proof(series.clone(), fetched, State::Covered)).await?;
    }

    // In bounded memory, however many there are.
    let volume = store.stream(&series, session).try_fold(0.0, async |sum, (_, bar)| Ok(sum + bar.volume)).await?;
    println!("volume of both: {volume}");

    let five = Grid::new(Timeframe::M5, vec![session]);
    let bars: Vec<Bar> = store.resampled(&series[0], five).try_collect().await?;
    println!("{} bars of five minutes, the first from {} to {}", bars.len(), bars[0].open, bars[0].close);

    for (series, latest) in series.iter().zip(store.latest(&series).await?) {
        println!("{series}: latest close {:?}", latest.map(|bar| bar.close));
    }
    for (series, spans) in series.iter().zip(store.coverage(&series, session).await?) {
        let settled = covered(&spans, |span| span.state == State::Covered);
        for gap in settled.gaps_in(session) {
            println!("{series}: {gap} is missing");
        }
    }
    println!("bars and coverage agree: {}", store.check().await?.is_empty());
    database.close().await;
    Ok(())
}

fn minutes_of(symbol: &str) -> Result<Series, barkeep_types::InvalidSymbol> {
    let symbol = symbol.parse()?;
    Ok(Series { symbol, timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW })
}

fn bar(start: DateTime<Utc>, minute: i64) -> Bar {
    let price = 170.0 + minute as f64 / 100.0;
    let (vwap, trade_count) = (Some(price), Some(12));
    Bar { start, open: price, high: price, low: price, close: price, volume: 1_000.0, vwap, trade_count }
}
