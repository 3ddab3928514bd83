//! What Prometheus reads: fills a little, asks the endpoint as Prometheus would, prints what it says, and ends.
//!
//!     cargo run -p examples --example metrics_endpoint             # or -- --serve, to go on until Ctrl-C

use std::error::Error;

use axum::{Router, routing::get};
use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::AlpacaSim;
use barkeep_calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Budgeted, Orchestrator, Settings, metrics, stop_on_signals};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // With buckets, so that durations of many processes can be added up.
    let buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
    let recorder = PrometheusBuilder::new().set_buckets(&buckets)?.install_recorder()?;
    metrics::describe_metrics();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let scrape = get(move || {
        recorder.run_upkeep();
        std::future::ready(recorder.render())
    });
    tokio::spawn(axum::serve(listener, Router::new().route("/metrics", scrape)).into_future());

    let simulator = AlpacaSim::options().start().await?;
    let alpaca = Alpaca::new(Credentials::new("any", "any")?).with_base_url(&simulator.base_url())?;
    let limits = Limits { requests_a_minute: Some(10_000), ..alpaca.limits() };
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bars.db").display());
    let backend = Backend::open(&url.parse()?, ProviderName::ALPACA).await?;
    let march = TimeRange::new("2024-03-01T00:00:00Z".parse()?, "2024-04-01T00:00:00Z".parse()?)?;
    let symbols = vec!["AAPL".parse()?, "MSFT".parse()?];
    let definition = Definition::new("march", symbols, vec![Timeframe::H1], Window::Fixed(march));
    backend.catalog.upsert(&definition, Narrowing::Refuse).await?;

    let provider = Budgeted::share(alpaca.with_limits(limits), &backend, "alpaca").await?;
    let settings = Settings::default().with_look_every(std::time::Duration::from_millis(100));
    let orchestrator = Orchestrator::with_settings(provider, Nyse, backend, settings);
    let stop = stop_on_signals();
    if std::env::args().any(|argument| argument == "--serve") {
        println!("http://{address}/metrics");
        return Ok(orchestrator.run(&stop).await?);
    }
    orchestrator.backfill(&[definition], &stop).await?;
    orchestrator.tick().await?;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    orchestrator.health().await;
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    println!("{answer}");
    Ok(())
}
