//! Fills a store in SQLite and one in PostgreSQL, exports both in every way, and runs a command that reads it all back.
//!
//!     check_export FOLDER COMMAND [ARGUMENT..]
//!
//! The command gets the folder and PostgreSQL's URL as its last arguments: see scripts/check-export.
use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use barkeep_alpaca_sim::Market;
use barkeep_database::{Postgres, Sqlite};
use barkeep_export::{Destination, Export, write_csv, write_ipc};
use barkeep_store::{Commit, PostgresStore, ProviderName, SqliteStore, State, Store};
use barkeep_test_postgres::TestDatabase;
use barkeep_types::{Bar, Feed, Series, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let folder = Path::new(&folder);
    let program = arguments.next().ok_or("which command?")?;
    let server = TestDatabase::create().await;
    let sqlite = Sqlite::open(folder.join("bars.db")).await?;
    let store = SqliteStore::open(&sqlite, ProviderName::ALPACA).await?;
    fill_and_export(&store, &folder.join("sqlite")).await?;
    let postgres = Postgres::connect(server.url()).await?;
    fill_and_export(&PostgresStore::open(&postgres, ProviderName::ALPACA).await?, &folder.join("postgres")).await?;
    sqlite.close().await;
    let status = Command::new(program).args(arguments).arg(folder).arg(server.url()).status()?;
    if status.success() { Ok(()) } else { Err("what was exported is not what is stored".into()) }
}

async fn fill_and_export(store: &dyn Store, folder: &Path) -> Outcome {
    fs::create_dir(folder)?;
    let traded = traded()?;
    commit(store, &traded).await?;
    let exact = store.series().await?;
    Export::new(Destination::folder(folder.join("exact"))).run(store, &exact, TimeRange::ALWAYS).await?;
    Export::new(Destination::folder(folder.join("floats"))).with_floats().run(store, &exact, TimeRange::ALWAYS).await?;
    // Bars that no decimal holds come later, and make floats of what is there.
    commit(store, &odd()?).await?;
    let all = store.series().await?;
    let export = Export::new(Destination::folder(folder.join("odd")));
    export.run(store, &exact, TimeRange::ALWAYS).await?;
    export.run(store, &all, TimeRange::ALWAYS).await?;
    write_ipc(store, &all, TimeRange::ALWAYS, File::create(folder.join("bars.arrows"))?).await?;
    write_csv(store, &all, TimeRange::ALWAYS, File::create(folder.join("bars.csv"))?).await?;
    Ok(())
}

async fn commit(store: &dyn Store, all: &[(Series, Vec<Bar>)]) -> Outcome {
    for (series, bars) in all {
        let [Some(first), Some(last)] = [bars.first(), bars.last()] else { continue };
        let range = TimeRange::new(first.start, last.start + TimeDelta::seconds(1))?;
        let page = Commit::new(range).with_bars(series.clone(), bars.clone());
        let done = store.commit(&page.with_proof(series.clone(), range, State::Covered)).await?;
        if done.inserted != bars.len() as u64 {
            return Err(format!("{series}: not every bar was stored: {done:?}").into());
        }
    }
    Ok(())
}

fn series(symbol: &str, timeframe: Timeframe, adjustment: &str) -> Outcome<Series> {
    Ok(Series { symbol: symbol.parse()?, timeframe, feed: Feed::SIP, adjustment: adjustment.parse()? })
}

/// Bars in cents and in hundredths of them, some without vwap or trade count, under all kinds of names.
fn traded() -> Outcome<Vec<(Series, Vec<Bar>)>> {
    let days = TimeRange::new("2023-12-20T00:00:00Z".parse()?, "2024-01-12T00:00:00Z".parse()?)?;
    let market = Market::new(7);
    let mut all = Vec::new();
    for timeframe in [Timeframe::M1, Timeframe::D1] {
        let aapl = series("AAPL", timeframe, "raw")?;
        let bars = market.truth(&aapl, days);
        all.push((aapl, bars));
    }
    let names =
        ["BRK.B", "BTC/USD", "7203", "TRUE", "NULL", "NAN", "2024-01-01", "A/../../B", "X--", "0.", "1E5", "A.", "A"];
    for (seed, name) in names.into_iter().enumerate() {
        all.push((series(name, Timeframe::M5, "raw")?, made_up(seed as u64, 300)?));
    }
    all.push((series("AAPL", Timeframe::M5, "split,dividend")?, made_up(99, 2_000)?));
    Ok(all)
}

/// Prices of up to four decimals, volumes of up to two; in 1970 and 2099, the ends of what a store takes, and now.
fn made_up(seed: u64, count: u64) -> Outcome<Vec<Bar>> {
    let mut state = seed;
    let mut random = |below: u64| {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    };
    let mut bars = Vec::new();
    for index in 0..count {
        let start = match index {
            0 => instant(0)?,
            _ if index == count - 1 => instant(4_102_444_799)?,
            _ => instant(1_703_980_800 + 300 * index as i64)?, // From a day before the end of a year.
        };
        let mut prices = [0; 4].map(|_| 1 + random(9_000_000_000));
        prices.sort_unstable();
        let [low, open, close, high] = prices.map(|price| price as f64 / 1e4);
        let vwap = (random(4) > 0).then(|| (1 + random(1 << 40)) as f64 / 1e6);
        let trade_count = (random(4) > 0).then(|| random(1 << 60));
        let volume = random(9_007_199_254_740) as f64 / 100.0;
        bars.push(Bar { start, open, high, low, close, volume, vwap, trade_count });
    }
    Ok(bars)
}

/// Bars that no decimal holds: the extremes of what a store takes, and sums that are a hair off.
fn odd() -> Outcome<Vec<(Series, Vec<Bar>)>> {
    let prices = [1e-12, 0.1 + 0.2, 1.0 / 3.0, f64::MAX, 4e-12, 123_456_789.123_456_78];
    let bars = prices.iter().enumerate().map(|(index, &price)| {
        let start = instant(index as i64)?;
        let volume = [9_007_199_254_740_991.0, 0.0, 1e-12][index % 3];
        let trade_count = Some(i64::MAX.unsigned_abs());
        Ok(Bar { start, open: price, high: price, low: price, close: price, volume, vwap: Some(price), trade_count })
    });
    Ok(vec![(series("ODD/1", Timeframe::M1, "raw")?, bars.collect::<Outcome<_>>()?)])
}

fn instant(seconds: i64) -> Outcome<DateTime<Utc>> {
    Ok(DateTime::from_timestamp(seconds, 0).ok_or("an instant")?)
}
