//! Barkeep inside another program, which has its own life: it starts it, looks at what it does, and stops it when it stops
//! itself. No signal is caught, nothing is printed, and no slice stays behind leased.
//!
//!     cargo run --example embedding

use std::error::Error;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::AlpacaSim;
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Orchestrator, ProgressEvent};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let simulator = AlpacaSim::options().start().await?;
    let alpaca = Alpaca::new(Credentials::new("any", "any")?).with_base_url(&simulator.base_url())?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bars.db").display());
    let backend = Backend::open(&url.parse()?, ProviderName::ALPACA).await?;
    let march = TimeRange::new("2024-03-01T05:00:00Z".parse()?, "2024-04-01T04:00:00Z".parse()?)?;
    let symbols = vec!["AAPL".parse()?, "MSFT".parse()?];
    let definition = Definition::new("watchlist", symbols, vec![Timeframe::M15], Window::Fixed(march));
    backend.catalog.upsert(&definition, Narrowing::Refuse).await?;

    // Stopped with the program, by a token that it hands to all its parts.
    let shutdown = CancellationToken::new();
    let orchestrator = Orchestrator::new(alpaca, Nyse, backend);
    let mut events = orchestrator.subscribe();
    let (worker, token) = (orchestrator.clone(), shutdown.child_token());
    let bars = tokio::spawn(async move { worker.run(&token).await });

    // The program goes about its business; this one waits for a slice, and has seen enough.
    while !matches!(events.recv().await?, ProgressEvent::SliceDone { .. }) {}
    shutdown.cancel();
    bars.await??;

    println!("{}", orchestrator.snapshot());
    let status = orchestrator.status().await?;
    println!("{} slices running, {} left for the next time", status.slices.running, status.slices.live());
    assert_eq!(status.slices.running, 0);
    Ok(())
}
