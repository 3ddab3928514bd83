//! The simulator as a program, for clients in any language.
//!
//!     cargo run -p barkeep-alpaca-sim -- --port 8080 --plan basic

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use barkeep_alpaca_sim::{AlpacaSim, Listing, Market, Plan};
use barkeep_types::Symbol;
use chrono::{DateTime, Utc};
use clap::Parser;

/// An Alpaca market-data API on loopback.
#[derive(Parser)]
#[command(name = "alpaca-sim", version)]
struct Arguments {
    /// The port on 127.0.0.1; any free one by default
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What the subscription allows: basic (200 requests a minute), plus (10000) or unlimited
    #[arg(long, default_value = "unlimited")]
    plan: Plan,
    /// What the bars are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder of recorded bars to serve instead of drawn ones: files named <symbol>_<timeframe>.csv
    #[arg(long, value_name = "DIR", conflicts_with_all = ["seed", "symbols"])]
    data: Option<PathBuf>,
    /// Further symbols to list, comma separated
    #[arg(long, value_delimiter = ',')]
    symbols: Vec<Symbol>,
    /// The only key accepted, with its secret as ID:SECRET; any pair by default
    #[arg(long, value_name = "ID:SECRET")]
    keys: Option<String>,
    /// The time, which then stands still; the host's by default
    #[arg(long, value_name = "RFC 3339")]
    now: Option<DateTime<Utc>>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            // Nobody is left to tell when stderr is gone as well.
            let _ = writeln!(io::stderr(), "error: {error}{source}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let market = match arguments.data {
        Some(folder) => Market::recorded(folder)?,
        None => arguments.symbols.into_iter().map(Listing::new).fold(Market::new(arguments.seed), Market::with_listing),
    };
    let mut options = AlpacaSim::options().with_market(market).with_port(arguments.port).with_plan(arguments.plan);
    if let Some(keys) = arguments.keys {
        let (id, secret) = keys.split_once(':').ok_or("--keys wants ID:SECRET")?;
        options = options.with_keys(id, secret);
    }
    if let Some(now) = arguments.now {
        options = options.with_now(now);
    }
    let sim = options.start().await?;
    writeln!(io::stdout(), "{}", sim.base_url())?;
    tokio::signal::ctrl_c().await?;
    sim.shutdown().await;
    Ok(())
}
