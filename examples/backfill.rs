//! The main job: fills the bars of a list of symbols into a database, and finds nothing to do the second time.
//! Exit codes: 0 complete, 2 something could not be filled, 3 bad configuration, 4 refused credentials, 130 interrupted.
//!
//!     cargo run --example backfill                  20 symbols, h1, 2 years, simulator, SQLite
//!     cargo run --example backfill -- --help        what can be chosen

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::{AlpacaSim, Market, RecordedSeries};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Draft, Narrowing, Window, presets};
use barkeep_orchestrator::provider::{Limits, Provider, RateLimited, Retrying};
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::types::TimeRange;
use barkeep_orchestrator::{
    Backend, BackfillReport, Budgeted, Clock, Orchestrator, Settings, in_one_line, stop_on_signals,
};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

/// Fills bars from Alpaca, or from a simulator of it, into a database.
#[derive(Parser)]
struct Options {
    /// Symbols, separated by commas [default: 20 technology companies; with --data, the recorded ones]
    #[arg(long, value_delimiter = ',')]
    symbols: Option<Vec<String>>,
    /// m1 m5 m15 m30 h1 h4 d1 w1 mn1; repeat for several [default: h1; with --data, d1]
    #[arg(long = "timeframe")]
    timeframes: Option<Vec<String>>,
    /// First day, or an instant: 2024-01-02 or 2024-01-02T14:30:00Z
    #[arg(long, conflicts_with = "days", value_parser = |text: &str| instant(text, 0))]
    from: Option<DateTime<Utc>>,
    /// Last day, or the instant to stop before [default: now]
    #[arg(long, requires = "from", conflicts_with = "days", value_parser = |text: &str| instant(text, 1))]
    to: Option<DateTime<Utc>>,
    /// The last so many days [default: 730; with --data, all that is recorded]
    #[arg(long)]
    days: Option<u32>,
    /// sip, iex, otc
    #[arg(long, default_value = "sip")]
    feed: String,
    /// sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/NAME
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, default_value = "sqlite://barkeep.db")]
    database: String,
    /// How many slices to fetch at once
    #[arg(long, default_value_t = 5)]
    workers: u16,
    /// Prints the summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Uses Alpaca itself, with APCA_API_KEY_ID and APCA_API_SECRET_KEY from the environment
    #[arg(long, conflicts_with_all = ["data", "port"])]
    live: bool,
    /// Lets the simulator serve recorded bars: a folder of files <symbol>_<timeframe>.csv
    #[arg(long)]
    data: Option<PathBuf>,
    /// The simulator's port on 127.0.0.1 [default: any free one]
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::try_parse().unwrap_or_else(|usage| {
        let _ = usage.print();
        std::process::exit(if usage.use_stderr() { 3 } else { 0 });
    });
    match run(options).await {
        Ok(report) if report.complete => ExitCode::SUCCESS,
        Ok(report) => ExitCode::from(if report.interrupted { 130 } else { 2 }),
        Err(error) => {
            eprintln!("error: {}", in_one_line(&*error));
            let refused = matches!(error.downcast_ref(), Some(barkeep_orchestrator::Error::Credentials(_)));
            ExitCode::from(if refused { 4 } else { 3 })
        }
    }
}

async fn run(options: Options) -> Result<BackfillReport, Box<dyn Error>> {
    let market = options.data.as_ref().map_or_else(|| Ok(Market::new(1)), Market::recorded)?;
    let definition = definition(&options, &market.recorded_series())?;
    let simulator = AlpacaSim::options().with_market(market).with_port(options.port);
    let simulator = if options.live { None } else { Some(simulator.start().await?) };
    let alpaca = match &simulator {
        None => Alpaca::from_env()?,
        Some(simulator) => {
            let alpaca = Alpaca::new(Credentials::new("any", "any")?).with_base_url(&simulator.base_url())?;
            let limits = Limits { requests_a_minute: None, earliest: None, ..alpaca.limits() };
            alpaca.with_limits(limits)
        }
    };
    let backend = Backend::open(&options.database.parse()?, ProviderName::ALPACA).await?;
    backend.catalog.upsert(&definition, Narrowing::Allow).await?;
    // Short, so that a run after a kill does not wait long for the slices the dead one held.
    let settings = Settings::default().with_workers(options.workers).with_lease(Duration::from_secs(10));
    let settings = settings.with_concurrency(options.workers.into());
    let provider = Retrying::new(RateLimited::new(Budgeted::share(alpaca, &backend, "alpaca").await?));
    let orchestrator = Orchestrator::with_settings(provider, Nyse, backend, settings);
    let progress = tokio::spawn(show_progress(orchestrator.clone()));
    let report = orchestrator.backfill(&[definition], &stop_on_signals()).await.inspect(|_| progress.abort())?;
    println!("{}", if options.json { serde_json::to_string(&report)? } else { report.to_string() });
    Ok(report)
}

/// What was asked for; the rest is as in the preset, or as recorded.
fn definition(options: &Options, recorded: &[RecordedSeries]) -> Result<Definition, Box<dyn Error>> {
    let mut usual = presets::tech20();
    let first = recorded.iter().map(|series| series.first).min();
    if let Some((first, last)) = first.zip(recorded.iter().map(|series| series.last).max()) {
        usual.symbols = BTreeSet::from_iter(recorded.iter().map(|series| series.symbol.clone())).into_iter().collect();
        usual.timeframes = BTreeSet::from_iter(recorded.iter().map(|series| series.timeframe)).into_iter().collect();
        usual.window = Window::Fixed(TimeRange::new(first, last + TimeDelta::seconds(1))?);
    }
    let mut draft = Draft { name: "backfill".into(), feed: Some(options.feed.clone()), ..Draft::from(&usual) };
    draft.symbols = options.symbols.clone().unwrap_or(draft.symbols);
    draft.timeframes = options.timeframes.clone().unwrap_or(draft.timeframes);
    if options.days.is_some() || options.from.is_some() {
        let to = options.from.map(|_| options.to.unwrap_or_else(Clock::host_now));
        (draft.days, draft.from, draft.to) = (options.days, options.from, to);
    }
    Ok(draft.check()?)
}

async fn show_progress(orchestrator: Orchestrator) {
    let style = ProgressStyle::with_template("{wide_bar} {msg}").expect("the template is well-formed");
    let bar = ProgressBar::new(0).with_style(style);
    for beat in 1_u64.. {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let snapshot = orchestrator.snapshot();
        bar.set_length(snapshot.totals.slices_planned);
        bar.set_position(snapshot.totals.slices);
        bar.set_message(snapshot.to_string());
        if bar.is_hidden() && beat % 8 == 0 {
            eprintln!("{snapshot}");
        }
    }
}

/// An instant, or a day (of UTC): where it starts, or so many days on.
fn instant(text: &str, days_on: u64) -> Result<DateTime<Utc>, String> {
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(days_on)));
    let day = day.map(|day| day.and_time(NaiveTime::MIN).and_utc());
    day.or(text.parse().ok()).ok_or_else(|| format!("{text:?} is neither a day nor an instant"))
}
