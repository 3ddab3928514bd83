//! A vendor of your own: one page is all it owes, and everything else works unchanged.
//!
//!     cargo run --example custom_provider

use std::f64::consts::TAU;

use async_trait::async_trait;
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::provider::{BarsRequest, Limits, Page, PageToken, Provider, Result, SymbolBars};
use barkeep_orchestrator::types::{Bar, TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Orchestrator};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

/// Quotes a sine wave with the period of a week, every hour, day and night.
#[derive(Debug)]
struct Waves;

#[async_trait]
impl Provider for Waves {
    fn limits(&self) -> Limits {
        Limits { symbols_a_request: 50, ..Limits::new(1_000) }
    }

    /// A symbol a page: the token is the number of the next symbol.
    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        let index = token.and_then(|token| token.as_str().parse().ok()).unwrap_or(0);
        let symbol = request.symbols()[index].clone();
        let next = (index + 1 < request.symbols().len()).then(|| (index + 1).to_string()).and_then(PageToken::new);
        let first = (request.range().start().timestamp() + 3599) / 3600;
        let hours = (first..).map_while(|hour| DateTime::from_timestamp(hour * 3600, 0));
        let bars = hours.take_while(|start| *start < request.range().end()).map(wave).collect();
        Ok(Page { bars: vec![SymbolBars { symbol, bars }], next, ..Page::default() })
    }
}

fn wave(start: DateTime<Utc>) -> Bar {
    let price = |hour: i64| 100.0 + 10.0 * (TAU * hour as f64 / 168.0).sin();
    let hour = start.timestamp() / 3600;
    let (open, close) = (price(hour), price(hour + 1));
    let (high, low) = (open.max(close), open.min(close));
    Bar { start, open, high, low, close, volume: 1.0, vwap: None, trade_count: None }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let backend = Backend::open(&"sqlite://custom_provider.db".parse()?, "waves".parse()?).await?;
    let window = TimeRange::new("2024-01-02T00:00:00Z".parse()?, "2024-02-01T00:00:00Z".parse()?)?;
    let symbols = vec!["LONG".parse()?, "SHORT".parse()?];
    let definition = Definition::new("waves", symbols, vec![Timeframe::H1], Window::Fixed(window));
    let report = Orchestrator::new(Waves, Nyse, backend).backfill(&[definition], &CancellationToken::new()).await?;
    println!("{report}");
    Ok(())
}
