//! Checks a database by its views, and shows how it stands: sixteen queries, which psql and sqlite3 can run as well.
//! Ends with 1 if a check finds something. Without --database: on one that is filled for the occasion.
//!
//!     cargo run -p examples --example validate -- [--database URL]

use std::error::Error;
use std::process::ExitCode;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::AlpacaSim;
use barkeep_calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::database::{Location, Postgres, Sqlite};
use barkeep_orchestrator::store::ProviderName;
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Orchestrator};
use clap::Parser;
use sqlx::{Column, Database, Row, TypeInfo, ValueRef};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Options {
    /// sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/NAME
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
}

/// One query: what it is, and its text for either database.
struct Query {
    name: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
}

macro_rules! queries {
    ($($name:literal)*) => {
        &[$(Query {
            name: $name,
            postgres: include_str!(concat!("../docs/ops/queries/postgres/", $name, ".sql")),
            sqlite: include_str!(concat!("../docs/ops/queries/sqlite/", $name, ".sql")),
        }),*]
    };
}

const QUERIES: &[Query] = queries!(
    "01_views_missing" "02_slices_too_large" "03_slices_overlapping" "04_slices_without_cost"
    "05_definitions_dearer_than_expected" "06_tries_that_failed" "07_hours_over_the_limit" "08_slices_that_failed"
    "09_bars_twice" "10_coverage_disagrees" "11_slices_by_definition" "12_bars_written" "13_queue" "14_requests"
    "15_errors" "16_stuck"
);

#[tokio::main]
async fn main() -> ExitCode {
    match validate(Options::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

/// Runs every query, and answers how many found something or could not be run.
async fn validate(options: Options) -> Result<u32, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = match options.database {
        Some(url) => url,
        None => filled(&format!("sqlite://{}", folder.path().join("bars.db").display())).await?,
    };
    let mut found = 0;
    match url.parse()? {
        Location::Sqlite(file) => {
            let database = Sqlite::open(file).await?;
            for query in QUERIES {
                let mut connection = database.connection().await?;
                let rows = sqlx::raw_sql(query.sqlite).fetch_all(&mut *connection).await;
                connection.finish().await?;
                found += u32::from(show(query, query.sqlite, rows.map(table)));
            }
        }
        Location::Postgres(url) => {
            let database = Postgres::connect(url.as_str()).await?;
            for query in QUERIES {
                let mut connection = database.connection().await?;
                let rows = sqlx::raw_sql(query.postgres).fetch_all(&mut *connection).await;
                connection.finish().await?;
                found += u32::from(show(query, query.postgres, rows.map(table)));
            }
        }
    }
    println!("{found} of {} queries found something", QUERIES.len());
    Ok(found)
}

/// Prints what a query found, and answers whether that is bad. The first line of its text says what it is about.
fn show(query: &Query, text: &str, rows: Result<Vec<Vec<String>>, sqlx::Error>) -> bool {
    let first = text.lines().next().unwrap_or_default().trim_start_matches("-- ");
    let (kind, title) = first.split_once(": ").unwrap_or(("finds", first));
    let (rows, mark) = match rows {
        Err(error) => (vec![vec![error.to_string()]], "FAILED"),
        Ok(rows) if kind == "shows" => (rows, "shows"),
        Ok(rows) if rows.is_empty() => (rows, "ok"),
        Ok(rows) => (rows, "FOUND"),
    };
    println!("{mark:6} {}: {title}", query.name);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in &rows {
        let cells =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column).unwrap_or(0)));
        println!("       {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    matches!(mark, "FOUND" | "FAILED")
}

/// The names of the columns and the values of the rows, as text; nothing without rows.
fn table<R: Row>(rows: Vec<R>) -> Vec<Vec<String>>
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> String: sqlx::Decode<'r, R::Database>,
    for<'r> <R::Database as Database>::ValueRef<'r>: ValueRef<'r>,
{
    let names = rows.iter().take(1).map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
    let cell = |row: &R, column: usize| {
        let value = row.try_get_raw(column);
        let is_null = value.as_ref().map_or(true, |value| value.is_null() || value.type_info().is_null());
        // What a statement without parameters answers is text already.
        if is_null { "-".to_owned() } else { row.try_get_unchecked(column).unwrap_or_else(|_| "?".to_owned()) }
    };
    // Text from outside must neither end a line nor colour it.
    let plain = |text: String| {
        text.chars()
            .flat_map(|letter| {
                let escaped = letter.is_control();
                letter.escape_debug().filter(move |_| escaped).chain(Some(letter).filter(|_| !escaped))
            })
            .collect()
    };
    let values = rows.iter().map(|row| (0..row.columns().len()).map(|column| plain(cell(row, column))).collect());
    names.chain(values).collect()
}

/// A database with a month of bars in it.
async fn filled(url: &str) -> Result<String, Box<dyn Error>> {
    let simulator = AlpacaSim::options().start().await?;
    let alpaca = Alpaca::new(Credentials::new("any", "any")?).with_base_url(&simulator.base_url())?;
    let backend = Backend::open(&url.parse()?, ProviderName::ALPACA).await?;
    let march = TimeRange::new("2024-03-01T00:00:00Z".parse()?, "2024-04-01T00:00:00Z".parse()?)?;
    let timeframes = vec![Timeframe::M15, Timeframe::H1, Timeframe::D1];
    let definition = Definition::new("march", vec!["AAPL".parse()?, "MSFT".parse()?], timeframes, Window::Fixed(march));
    let orchestrator = Orchestrator::new(alpaca, Nyse, backend);
    orchestrator.backfill(&[definition], &CancellationToken::new()).await?;
    Ok(url.to_owned())
}
