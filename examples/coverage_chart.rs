//! Draws what a store has: symbols down, time across; to the terminal, and to an SVG file.
//!
//!     cargo run --example coverage_chart -- coverage.svg
use std::fmt::Write;

use barkeep_calendar::{CalendarExt, Nyse};
use barkeep_database::Sqlite;
use barkeep_store::{Commit, ProviderName, Span, SqliteStore, State, Store};
use barkeep_types::{Adjustment, Bar, Feed, Grid, Hours, Series, TimeRange, Timeframe};
use chrono::{DateTime, Utc};

const COLUMNS: u32 = 72;
const SYMBOLS: [&str; 8] = ["AAPL", "AMD", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA"];

/// What one cell of the chart shows: the worst that is true of its time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Covered,
    /// Fetched, and nothing had traded.
    Empty,
    Provisional,
    Missing,
}

impl Cell {
    const ALL: [Self; 4] = [Self::Covered, Self::Empty, Self::Provisional, Self::Missing];

    /// The name, the character and the colour.
    fn look(self) -> (&'static str, char, &'static str) {
        match self {
            Self::Covered => ("covered", '█', "#2f855a"),
            Self::Empty => ("empty", '░', "#9ae6b4"),
            Self::Provisional => ("provisional", '▒', "#ecc94b"),
            Self::Missing => ("missing", '·', "#e2e8f0"),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let window = TimeRange::new("2026-01-01T05:00:00Z".parse()?, "2026-11-21T05:00:00Z".parse()?)?;
    let grid = Nyse.grid(Timeframe::D1, Hours::Regular, window);
    let folder = tempfile::tempdir()?;
    let database = Sqlite::open(folder.path().join("bars.db")).await?;
    let store = SqliteStore::open(&database, ProviderName::ALPACA).await?;
    let series: Vec<Series> = SYMBOLS.iter().map(|symbol| series(symbol)).collect::<Result<_, _>>()?;
    fill(&store, &grid, &series).await?;

    let spans = store.coverage(&series, window).await?;
    let rows: Vec<(String, Vec<Cell>)> =
        series.iter().zip(&spans).map(|(series, spans)| (series.symbol.to_string(), cells(&grid, spans))).collect();
    for (symbol, cells) in &rows {
        println!("{symbol:>6} {}", cells.iter().map(|cell| cell.look().1).collect::<String>());
    }
    println!("       {}", Cell::ALL.map(|cell| format!("{} {}", cell.look().1, cell.look().0)).join("   "));
    if let Some(file) = std::env::args().nth(1) {
        std::fs::write(&file, svg(&rows)?)?;
        println!("drawn to {file}");
    }
    database.close().await;
    Ok(())
}

fn series(symbol: &str) -> Result<Series, barkeep_types::InvalidSymbol> {
    Ok(Series { symbol: symbol.parse()?, timeframe: Timeframe::D1, feed: Feed::SIP, adjustment: Adjustment::RAW })
}

/// Commits a made-up past: most of it covered, some of it quiet, the last session provisional, holes here and there.
async fn fill(store: &SqliteStore, grid: &Grid, series: &[Series]) -> Result<(), barkeep_store::Error> {
    for (number, series) in (0_u32..).zip(series) {
        let until = grid.bars() - 1 - (number % 3) * 40;
        for slot in (number * 20 % 60..until).filter(|slot| (slot + number * 37) % 120 > 11) {
            let quiet = number == 6 && (90..110).contains(&slot);
            commit(store, grid, series, slot, State::Covered, !quiet).await?;
        }
        if number % 3 == 0 {
            commit(store, grid, series, until, State::Provisional, true).await?;
        }
    }
    Ok(())
}

async fn commit(
    store: &SqliteStore,
    grid: &Grid,
    series: &Series,
    slot: u32,
    state: State,
    traded: bool,
) -> Result<(), barkeep_store::Error> {
    let range = grid.bar(slot).expect("a bar of the grid");
    let bars = traded.then(|| bar(range.start())).into_iter().collect();
    let page = Commit::new(range).with_bars(series.clone(), bars).with_proof(series.clone(), range, state);
    store.commit(&page).await.map(|_| ())
}

fn bar(start: DateTime<Utc>) -> Bar {
    Bar { start, open: 10.0, high: 11.0, low: 9.0, close: 10.5, volume: 1e6, vwap: None, trade_count: None }
}

/// One cell for each part of the window, by trading time: closed days take no room.
fn cells(grid: &Grid, spans: &[Span]) -> Vec<Cell> {
    let columns = COLUMNS.min(grid.bars());
    let slots = |column| column * grid.bars() / columns..(column + 1) * grid.bars() / columns;
    (0..columns).filter_map(|column| slots(column).map(|slot| cell(grid, spans, slot)).max()).collect()
}

fn cell(grid: &Grid, spans: &[Span], slot: u32) -> Cell {
    let start = grid.bar(slot).expect("a bar of the grid").start();
    match spans.iter().find(|span| span.range.contains(start)) {
        None => Cell::Missing,
        Some(span) if span.state != State::Covered => Cell::Provisional,
        Some(span) if span.rows == 0 => Cell::Empty,
        Some(_) => Cell::Covered,
    }
}

fn svg(rows: &[(String, Vec<Cell>)]) -> Result<String, std::fmt::Error> {
    let (width, height) = (80 + 10 * COLUMNS, 20 * rows.len() + 30);
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="monospace" font-size="12">"#
    )?;
    for (row, (symbol, cells)) in rows.iter().enumerate() {
        let y = 20 * row + 5;
        writeln!(svg, r#"<text x="5" y="{}">{symbol}</text>"#, y + 12)?;
        // Neighbours that look the same are one rectangle.
        let mut x = 60;
        for run in cells.chunk_by(|left, right| left == right) {
            let (name, _, colour) = run[0].look();
            let width = 10 * run.len();
            writeln!(
                svg,
                r#"<rect x="{x}" y="{y}" width="{width}" height="16" fill="{colour}"><title>{symbol} {name}</title></rect>"#
            )?;
            x += width;
        }
    }
    for (number, cell) in Cell::ALL.into_iter().enumerate() {
        let ((name, _, colour), x, y) = (cell.look(), 60 + 120 * number, 20 * rows.len() + 10);
        writeln!(
            svg,
            r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/><text x="{}" y="{}">{name}</text>"#,
            x + 17,
            y + 10
        )?;
    }
    writeln!(svg, "</svg>")?;
    Ok(svg)
}
