//! Bars as files for other tools: Parquet by symbol and year, an Arrow stream, CSV. A second run writes only what changed.
//!
//!     cargo run -p examples --example export_parquet -- --folder bars
use std::fs::File;
use std::path::PathBuf;

use barkeep_alpaca_sim::Market;
use barkeep_database::Sqlite;
use barkeep_export::{Destination, Export, write_csv, write_ipc};
use barkeep_store::{Commit, ProviderName, SqliteStore, State, Store};
use barkeep_types::{Adjustment, Feed, Series, TimeRange, Timeframe};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Where to write; a folder that is deleted again, if left out.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = tempfile::tempdir()?;
    let folder = Arguments::parse().folder.unwrap_or_else(|| scratch.path().join("bars"));
    let database = Sqlite::open(scratch.path().join("bars.db")).await?;
    let store = SqliteStore::open(&database, ProviderName::ALPACA).await?;
    let series = [minutes_of("AAPL")?, minutes_of("MSFT")?];
    let days = TimeRange::new("2023-12-27T00:00:00Z".parse()?, "2024-01-05T00:00:00Z".parse()?)?;
    let market = Market::new(7);
    for series in &series {
        let page = Commit::new(days).with_bars(series.clone(), market.truth(series, days));
        store.commit(&page.with_proof(series.clone(), days, State::Covered)).await?;
    }

    let export = Export::new(Destination::folder(&folder));
    for run in ["first", "second"] {
        let done = export.run(&store, &series, TimeRange::ALWAYS).await?;
        println!("{run} run: {} files written, {} unchanged, {} bars", done.written, done.unchanged, done.rows);
    }
    for file in export.manifest().await?.iter().flat_map(|manifest| &manifest.partitions) {
        println!("{}: {} bars, {} bytes", file.path, file.rows, file.bytes);
    }

    // Everything at once, as a stream: no file of more than one reader's liking.
    write_ipc(&store, &series, days, File::create(folder.join("bars.arrows"))?).await?;
    write_csv(&store, &series, days, File::create(folder.join("bars.csv"))?).await?;
    database.close().await;
    Ok(())
}

fn minutes_of(symbol: &str) -> Result<Series, barkeep_types::InvalidSymbol> {
    let symbol = symbol.parse()?;
    Ok(Series { symbol, timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW })
}
