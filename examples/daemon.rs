//! Keeps what the catalog names filled, unattended: two workers, as two processes would be, that share one PostgreSQL.
//! Ends well on Ctrl-C or SIGTERM, at once on a second one; with exit code 1, and why, where nothing more can be done.
//!
//!     cargo run --example daemon -- --preset                     20 symbols, h1, 2 years, simulator, a scratch PostgreSQL
//!     cargo run --example daemon -- --database postgres://... --live

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::AlpacaSim;
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Narrowing, presets};
use barkeep_orchestrator::provider::{Limits, Provider, RateLimited, Retrying};
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::{Backend, Budgeted, Idle, Orchestrator, Schedule, Settings, in_one_line, stop_on_signals};
use barkeep_test_postgres::TestDatabase;
use clap::Parser;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Options {
    /// postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite://FILE [default: a PostgreSQL that goes when the program ends]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// Puts 20 technology companies into the catalog first
    #[arg(long)]
    preset: bool,
    /// How many seconds pass between looks for gaps
    #[arg(long, default_value_t = 60)]
    every: u64,
    /// Ends once nothing is missing
    #[arg(long)]
    until_filled: bool,
    /// Uses Alpaca itself, with APCA_API_KEY_ID and APCA_API_SECRET_KEY from the environment
    #[arg(long)]
    live: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", in_one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let scratch = if options.database.is_none() { Some(TestDatabase::create().await) } else { None };
    let url = options.database.as_deref().or(scratch.as_ref().map(TestDatabase::url)).unwrap_or_default().parse()?;
    let simulator = if options.live { None } else { Some(AlpacaSim::options().start().await?) };
    let stop = stop_on_signals();
    let mut workers = JoinSet::new();
    for _ in 0..2 {
        let alpaca = alpaca(simulator.as_ref())?;
        let backend = Backend::open(&url, ProviderName::ALPACA).await?;
        if options.preset {
            backend.catalog.upsert(&presets::tech20(), Narrowing::Refuse).await?;
        }
        let settings = Settings::default().with_schedule(Schedule::every(Duration::from_secs(options.every)));
        let provider = Retrying::new(RateLimited::new(Budgeted::share(alpaca.clone(), &backend, "alpaca").await?));
        let orchestrator = Orchestrator::with_settings(provider, Nyse, backend, settings).with_reference(alpaca);
        if options.until_filled && workers.is_empty() {
            tokio::spawn(stop_when_filled(orchestrator.clone(), stop.clone()));
        }
        let stop = stop.clone();
        workers.spawn(async move { orchestrator.run(&stop).await.map(|()| orchestrator.snapshot()) });
    }
    eprintln!("working");
    while let Some(worked) = workers.join_next().await {
        println!("{}", worked??);
    }
    Ok(())
}

fn alpaca(simulator: Option<&AlpacaSim>) -> Result<Alpaca, Box<dyn Error>> {
    let Some(simulator) = simulator else { return Ok(Alpaca::from_env()?) };
    let (url, credentials) = (simulator.base_url(), Credentials::new("any", "any")?);
    let alpaca = Alpaca::new(credentials).with_base_url(&url)?.with_trading_url(&url)?;
    let limits = Limits { requests_a_minute: None, ..alpaca.limits() };
    Ok(alpaca.with_limits(limits))
}

async fn stop_when_filled(orchestrator: Orchestrator, stop: CancellationToken) {
    loop {
        match orchestrator.tick().await.map(|report| report.idle) {
            Ok(Some(idle @ (Idle::NothingEnabled | Idle::NothingMissing))) => break println!("{idle}"),
            Err(error) => eprintln!("{error}"),
            Ok(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    stop.cancel();
}
