//! Recorded bars in a text: `ts_utc,open,high,low,close,volume`.

use std::fs::File;

use chrono::{DateTime, Utc};

use super::recorded::{Fault, Row};

#[derive(serde::Deserialize)]
struct Line {
    ts_utc: DateTime<Utc>,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

/// Every bar of the file, in its order.
pub(super) fn rows(file: File) -> Result<Vec<Row>, Fault> {
    let mut lines = csv::Reader::from_reader(file);
    // The header is the first line.
    let numbered = lines.deserialize::<Line>().zip(2..);
    let row = |(line, number): (csv::Result<Line>, u64)| {
        let Line { ts_utc, open, high, low, close, volume } = line.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            Fault::new(line, error)
        })?;
        Ok(Row { line: number, start: ts_utc, open, high, low, close, volume })
    };
    numbered.map(row).collect()
}
