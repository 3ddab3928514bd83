//! Bars that were recorded: read from files, and served as they are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use barkeep_types::{Bar, Symbol, Timeframe};
use chrono::{DateTime, Utc};

use super::tape::{Candles, Order};
use super::{csv_file, parquet_file};
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

/// A bar as files hold it, and where: the line of a text, the row of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) start: DateTime<Utc>,
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) volume: f64,
}

/// What is wrong with a file, and where; 0 for the file itself.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(line: u64, reason: impl ToString) -> Self {
        Self { line, reason: reason.to_string() }
    }
}

/// Reads every `<symbol>_<timeframe>.csv` and `.parquet` of a folder.
pub(super) fn read_folder(folder: &Path) -> Result<BTreeMap<Symbol, Recording>, Error> {
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    let mut recordings = BTreeMap::<Symbol, Recording>::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let read = match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => csv_file::rows,
            Some("parquet") => parquet_file::rows,
            _ => continue,
        };
        let file = File::open(&path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
        let malformed = |Fault { line, reason }| Error::MalformedRecord { path: path.clone(), line, reason };
        let (symbol, timeframe) = name(&path).map_err(malformed)?;
        let bars = read(file).and_then(|rows| candles(&rows, &symbol, timeframe)).map_err(malformed)?;
        let timeframes = &mut recordings.entry(symbol).or_default().timeframes;
        if timeframes.insert(timeframe, bars).is_some() {
            return Err(malformed(Fault::new(0, "another file of the folder holds the same bars")));
        }
    }
    if recordings.is_empty() {
        return Err(Error::NoRecords { path: folder.to_owned() });
    }
    Ok(recordings)
}

/// `aapl_d1.csv`, and `btc-usd_d1.csv` for what no file can be named: `BTC/USD`.
fn name(path: &Path) -> Result<(Symbol, Timeframe), Fault> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let (symbol, timeframe) =
        stem.rsplit_once('_').ok_or_else(|| Fault::new(0, "its name does not begin with <symbol>_<timeframe>"))?;
    let symbol = symbol.replace('-', "/").parse().map_err(|error| Fault::new(0, error))?;
    Ok((symbol, timeframe.parse().map_err(|error| Fault::new(0, error))?))
}

fn candles(rows: &[Row], symbol: &Symbol, timeframe: Timeframe) -> Result<Vec<Candle>, Fault> {
    let mut bars: Vec<Candle> = Vec::with_capacity(rows.len());
    for row in rows {
        let bar = candle(row, symbol, timeframe).map_err(|reason| Fault::new(row.line, reason))?;
        if bars.last().is_some_and(|last| last.start >= bar.start) {
            return Err(Fault::new(row.line, "it does not start after the one before"));
        }
        bars.push(bar);
    }
    if bars.is_empty() {
        return Err(Fault::new(1, "there is no bar"));
    }
    Ok(bars)
}

fn candle(row: &Row, symbol: &Symbol, timeframe: Timeframe) -> Result<Candle, String> {
    let Row { start, open, high, low, close, volume, .. } = *row;
    let bar = Bar { start, open, high, low, close, volume, vwap: None, trade_count: None };
    bar.check().map_err(|faults| faults.to_string())?;
    let start = bar.start.timestamp();
    if Span::from(timeframe).start_of(start, Zone::of(symbol)) != start || bar.start.timestamp_subsec_nanos() != 0 {
        return Err(format!("no {timeframe} bar starts at {}", bar.start));
    }
    Ok(Candle { start, open, high, low, close, volume, vwap: None, trades: None })
}
