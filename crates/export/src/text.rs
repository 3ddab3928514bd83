use std::io::Write;

use barkeep_store::{Store, StoreExt};
use barkeep_types::{Bar, Series, TimeRange};
use chrono::SecondsFormat;
use futures::stream::TryStreamExt;

use crate::{Error, Result};

const HEADER: [&str; 12] = [
    "symbol",
    "timeframe",
    "feed",
    "adjustment",
    "starts_at",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "vwap",
    "trade_count",
];

/// Writes every bar of the series that starts within `range` as CSV after RFC 4180, and returns how many there were.
///
/// Lines end in CR LF, the first one names the columns; instants are ISO 8601 in UTC, numbers have as many digits as they
/// need to be read back as the same, and what the vendor did not say is empty. No cell can start a formula: names start
/// with a letter or a digit, and no number is negative.
///
/// # Errors
///
/// [`Error::Store`], or [`Error::Io`] if `sink` fails; what was written until then stays.
pub async fn write_csv(store: &dyn Store, series: &[Series], range: TimeRange, sink: impl Write + Send) -> Result<u64> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(sink);
    writer.write_record(HEADER).map_err(failed)?;
    let mut bars = store.stream(series, range);
    let mut rows = 0;
    while let Some((series, bar)) = bars.try_next().await? {
        writer.write_record(record(series, &bar)).map_err(failed)?;
        rows += 1;
    }
    writer.flush().map_err(|error| Error::io("the stream", error))?;
    Ok(rows)
}

fn record(series: &Series, bar: &Bar) -> [String; 12] {
    [
        series.symbol.to_string(),
        series.timeframe.to_string(),
        series.feed.to_string(),
        series.adjustment.to_string(),
        bar.start.to_rfc3339_opts(SecondsFormat::Secs, true),
        bar.open.to_string(),
        bar.high.to_string(),
        bar.low.to_string(),
        bar.close.to_string(),
        bar.volume.to_string(),
        bar.vwap.map(|vwap| vwap.to_string()).unwrap_or_default(),
        bar.trade_count.map(|count| count.to_string()).unwrap_or_default(),
    ]
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::io("the stream", source),
        other => Error::encoding(format!("{other:?}")),
    }
}
