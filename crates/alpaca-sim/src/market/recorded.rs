//! Bars that were recorded: read from files, and served as they are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use barkeep_types::{Bar, Symbol, Timeframe};
use chrono::{DateTime, Utc};

use super::tape::{Candles, Order};
use crate::Error;
use crate::candle::Candle;
use crate::span::{Source, Span};
use crate::zone::Zone;

/// A file of recorded bars.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSeries {
    /// Whose bars.
    pub symbol: Symbol,
    /// How much time each spans.
    pub timeframe: Timeframe,
    /// Where the first one starts.
    pub first: DateTime<Utc>,
    /// Where the last one starts.
    pub last: DateTime<Utc>,
    /// How many there are.
    pub bars: usize,
}

/// The recorded bars of one symbol.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Recording {
    /// Sorted by start, and never empty.
    timeframes: BTreeMap<Timeframe, Vec<Candle>>,
}

impl Recording {
    /// Those of the very timeframe if it was recorded, or else those that it is aggregated from.
    pub(super) fn read(&self, span: Span, from: i64, to: i64, order: Order) -> Candles<'_> {
        let same = self.timeframes.iter().find(|(timeframe, _)| Span::from(**timeframe) == span);
        let base = match span.source() {
            Source::Minutes => Timeframe::M1,
            Source::Days => Timeframe::D1,
        };
        let bars = same.map(|(_, bars)| bars).or_else(|| self.timeframes.get(&base));
        let bars = bars.map_or(&[][..], Vec::as_slice);
        let first = bars.partition_point(|bar| bar.start < from);
        let end = bars.partition_point(|bar| bar.start <= to).max(first);
        let asked = bars[first..end].iter().copied();
        match order {
            Order::Ascending => Box::new(asked),
            Order::Descending => Box::new(asked.rev()),
        }
    }

    pub(super) fn series(&self, symbol: &Symbol) -> Vec<RecordedSeries> {
        let start = |bar: Option<&Candle>| bar.map(|bar| bar.bar().start);
        let of = |(timeframe, bars): (&Timeframe, &Vec<Candle>)| {
            Some(RecordedSeries {
                symbol: symbol.clone(),
                timeframe: *timeframe,
                first: start(bars.first())?,
                last: start(bars.last())?,
                bars: bars.len(),
            })
        };
        self.timeframes.iter().filter_map(of).collect()
    }
}

/// Reads every `<symbol>_<timeframe>.csv` of a folder.
pub(super) fn read_folder(folder: &Path) -> Result<BTreeMap<Symbol, Recording>, Error> {
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    let mut recordings = BTreeMap::<Symbol, Recording>::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let (symbol, timeframe) = name(&path)?;
            let bars = read_file(&path, &symbol, timeframe)?;
            recordings.entry(symbol).or_default().timeframes.insert(timeframe, bars);
        }
    }
    if recordings.is_empty() {
        return Err(Error::NoRecords { path: folder.to_owned() });
    }
    Ok(recordings)
}

/// `aapl_d1.csv`, and `btc-usd_d1.csv` for what no file can be named: `BTC/USD`.
fn name(path: &Path) -> Result<(Symbol, Timeframe), Error> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let malformed = |reason: &dyn ToString| malformed(path, 0, reason);
    let (symbol, timeframe) =
        stem.rsplit_once('_').ok_or_else(|| malformed(&"its name is not <symbol>_<timeframe>.csv"))?;
    let symbol = symbol.replace('-', "/").parse().map_err(|error| malformed(&error as &dyn ToString))?;
    Ok((symbol, timeframe.parse().map_err(|error| malformed(&error as &dyn ToString))?))
}

#[derive(serde::Deserialize)]
struct Row {
    ts_utc: DateTime<Utc>,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

fn read_file(path: &Path, symbol: &Symbol, timeframe: Timeframe) -> Result<Vec<Candle>, Error> {
    let file = File::open(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let mut rows = csv::Reader::from_reader(file);
    let mut bars: Vec<Candle> = Vec::new();
    for row in rows.deserialize::<Row>() {
        let row = row.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            malformed(path, line, &error)
        })?;
        // The header is the first line.
        let line = bars.len() as u64 + 2;
        let bar = candle(&row, symbol, timeframe).map_err(|reason| malformed(path, line, &reason))?;
        if bars.last().is_some_and(|last| last.start >= bar.start) {
            return Err(malformed(path, line, &"it does not start after the one before"));
        }
        bars.push(bar);
    }
    if bars.is_empty() {
        return Err(malformed(path, 1, &"there is no bar"));
    }
    Ok(bars)
}

fn candle(row: &Row, symbol: &Symbol, timeframe: Timeframe) -> Result<Candle, String> {
    let bar = Bar {
        start: row.ts_utc,
        open: row.open,
        high: row.high,
        low: row.low,
        close: row.close,
        volume: row.volume,
        vwap: None,
        trade_count: None,
    };
    bar.check().map_err(|faults| faults.to_string())?;
    let start = bar.start.timestamp();
    if Span::from(timeframe).start_of(start, Zone::of(symbol)) != start {
        return Err(format!("no {timeframe} bar starts at {}", bar.start));
    }
    let Bar { open, high, low, close, volume, .. } = bar;
    Ok(Candle { start, open, high, low, close, volume, vwap: None, trades: None })
}

fn malformed(path: &Path, line: u64, reason: &(impl ToString + ?Sized)) -> Error {
    Error::MalformedRecord { path: PathBuf::from(path), line, reason: reason.to_string() }
}
