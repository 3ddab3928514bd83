//! The simulator as a program, for clients in any language.
//!
//!     cargo run -p barkeep-alpaca-sim -- --port 8080 --plan basic
//!     cargo run -p barkeep-alpaca-sim -- truth AAPL,MSFT h1 2024-03-04T00:00:00Z 2024-03-05T00:00:00Z

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use barkeep_alpaca_sim::{AlpacaSim, Fault, Listing, Market, Plan};
use barkeep_types::{Adjustment, Bar, Feed, InvalidSymbol, Series, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Parser, Subcommand};

/// An Alpaca market-data API on loopback
#[derive(Parser)]
#[command(name = "alpaca-sim", version)]
struct Arguments {
    #[command(flatten)]
    market: MarketArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct MarketArguments {
    /// What the bars are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder of recorded bars to serve instead of drawn ones: files named SYMBOL_TIMEFRAME.csv or .parquet
    #[arg(long, value_name = "DIR", conflicts_with_all = ["seed", "symbols"])]
    data: Option<PathBuf>,
    /// Further symbols to list, comma separated
    #[arg(long, default_value = "")]
    symbols: Symbols,
}

#[derive(Args)]
struct ServerArguments {
    /// The port on 127.0.0.1; any free one by default
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What the subscription allows: basic (200 requests a minute), plus (10000) or unlimited
    #[arg(long, default_value = "unlimited")]
    plan: Plan,
    /// The only keys accepted; any pair by default
    #[arg(long, value_name = "ID:SECRET")]
    keys: Option<String>,
    /// The time, which then stands still; the host's by default
    #[arg(long, value_name = "RFC 3339", value_parser = instant)]
    now: Option<DateTime<Utc>>,
    /// The share of requests for bars, 0 to 1, that meet a passing fault, drawn from the seed
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true)]
    faults: f64,
    /// Keep answers of bars in memory, up to 256 MiB: asked once more, they cost no more than sending
    #[arg(long)]
    keep_answers: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Print, as CSV, the bars that a client must have found in the end
    Truth(TruthArguments),
}

#[derive(Args)]
struct TruthArguments {
    /// Symbols, comma separated
    of: Symbols,
    /// m1, m5, m15, m30, h1, h4, d1, w1 or mn1
    timeframe: Timeframe,
    /// Where the first bar may start, in RFC 3339
    #[arg(value_parser = instant)]
    from: DateTime<Utc>,
    /// Where no bar starts any more, in RFC 3339
    #[arg(value_parser = instant)]
    to: DateTime<Utc>,
    /// sip or iex; for coins also us, us-1, us-2, eu-1 or bs-1
    #[arg(long, default_value = "sip")]
    feed: Feed,
    /// raw, all, or some of split, dividend and spin-off, comma separated
    #[arg(long, default_value = "raw")]
    adjustment: Adjustment,
}

#[derive(Clone)]
struct Symbols(Vec<Symbol>);

impl FromStr for Symbols {
    type Err = InvalidSymbol;

    fn from_str(list: &str) -> Result<Self, InvalidSymbol> {
        list.split(',').filter(|name| !name.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| "expected an instant like 2024-01-02T00:00:00Z")?;
    Ok(instant.to_utc())
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("expected a number from 0 to 1")
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Some(Command::Truth(asked)) => print_truth(&arguments, asked),
        None => serve(&arguments).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            // When stderr is gone as well, nobody is left to tell.
            let _ = writeln!(io::stderr(), "error: {error}{source}");
            ExitCode::FAILURE
        }
    }
}

impl MarketArguments {
    fn market(&self) -> Result<Market, barkeep_alpaca_sim::Error> {
        match &self.data {
            Some(folder) => Market::recorded(folder),
            None => {
                let listings = self.symbols.0.iter().cloned().map(Listing::new);
                Ok(listings.fold(Market::new(self.seed), Market::with_listing))
            }
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let server = &arguments.server;
    let mut options =
        AlpacaSim::options().with_market(arguments.market.market()?).with_port(server.port).with_plan(server.plan);
    options = options.with_answers_kept(server.keep_answers);
    if let Some(keys) = &server.keys {
        let (id, secret) = keys.split_once(':').ok_or("--keys wants ID:SECRET")?;
        options = options.with_keys(id, secret);
    }
    if let Some(now) = server.now {
        options = options.with_now(now);
    }
    let sim = options.start().await?;
    sim.inject_at_random(arguments.market.seed, server.faults, Fault::transient());
    writeln!(io::stdout(), "{}", sim.base_url())?;
    tokio::signal::ctrl_c().await?;
    sim.shutdown().await;
    Ok(())
}

fn print_truth(arguments: &Arguments, asked: &TruthArguments) -> Result<(), Box<dyn Error>> {
    let (market, range) = (arguments.market.market()?, TimeRange::new(asked.from, asked.to)?);
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(out, "symbol,ts_utc,open,high,low,close,volume,vwap,trade_count")?;
    for symbol in &asked.of.0 {
        let series = Series {
            symbol: symbol.clone(),
            timeframe: asked.timeframe,
            feed: asked.feed.clone(),
            adjustment: asked.adjustment,
        };
        for bar in market.truth(&series, range) {
            writeln!(out, "{}", row(symbol, &bar))?;
        }
    }
    Ok(out.flush()?)
}

fn row(symbol: &Symbol, bar: &Bar) -> String {
    let Bar { open, high, low, close, volume, .. } = bar;
    let start = bar.start.to_rfc3339_opts(SecondsFormat::Secs, true);
    let vwap = bar.vwap.map_or_else(String::new, |vwap| vwap.to_string());
    let trades = bar.trade_count.map_or_else(String::new, |trades| trades.to_string());
    format!("{symbol},{start},{open},{high},{low},{close},{volume},{vwap},{trades}")
}
