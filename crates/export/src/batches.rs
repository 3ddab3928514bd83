use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use barkeep_store::{Store, StoreExt};
use barkeep_types::{Bar, Series, TimeRange};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};

use crate::{Error, Result};

/// The most rows of a batch.
const ROWS: usize = 65_536;

/// The columns of [`batches`]: those of the view `bars_v1`. `starts_at` is in microseconds, UTC; prices, volume and vwap
/// are floats as barkeep stores them; the names of a series come from dictionaries that all batches share.
pub fn schema() -> SchemaRef {
    let name = |name| Field::new_dictionary(name, DataType::Int32, DataType::Utf8, false);
    let float = |name| Field::new(name, DataType::Float64, false);
    Arc::new(Schema::new(vec![
        name("symbol"),
        name("timeframe"),
        name("feed"),
        name("adjustment"),
        Field::new("starts_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        float("open"),
        float("high"),
        float("low"),
        float("close"),
        float("volume"),
        Field::new("vwap", DataType::Float64, true),
        Field::new("trade_count", DataType::Int64, true),
    ]))
}

/// Every bar of the series that starts within `range`, as Arrow: series by series, each earliest first, up to 65,536
/// bars a batch. Memory is bounded by a batch or two. An error ends the stream.
///
/// ```
/// use barkeep_export::{Result, batches};
/// # use barkeep_store::Store;
/// # use barkeep_types::{Series, TimeRange};
/// use futures::TryStreamExt;
///
/// async fn rows(store: &dyn Store, series: &[Series]) -> Result<usize> {
///     batches(store, series, TimeRange::ALWAYS).try_fold(0, |rows, batch| async move { Ok(rows + batch.num_rows()) }).await
/// }
/// ```
pub fn batches<'a>(store: &'a dyn Store, series: &'a [Series], range: TimeRange) -> BoxStream<'a, Result<RecordBatch>> {
    let names = Names::new(series);
    let schema = schema();
    let chunks = store.stream(series, range).try_chunks(ROWS);
    chunks.map(move |chunk| names.batch(&schema, &chunk.map_err(|error| error.1)?)).boxed()
}

/// The names of some series, each once.
struct Names {
    symbols: Dictionary,
    timeframes: Dictionary,
    feeds: Dictionary,
    adjustments: Dictionary,
}

/// The values of a column, and the place of each.
struct Dictionary {
    values: ArrayRef,
    keys: HashMap<String, i32>,
}

impl Names {
    fn new(series: &[Series]) -> Self {
        Self {
            symbols: Dictionary::new(series.iter().map(|series| series.symbol.to_string())),
            timeframes: Dictionary::new(series.iter().map(|series| series.timeframe.to_string())),
            feeds: Dictionary::new(series.iter().map(|series| series.feed.to_string())),
            adjustments: Dictionary::new(series.iter().map(|series| series.adjustment.to_string())),
        }
    }

    fn batch(&self, schema: &SchemaRef, bars: &[(&Series, Bar)]) -> Result<RecordBatch> {
        let runs: Vec<(&Series, usize)> =
            bars.chunk_by(|left, right| left.0 == right.0).map(|run| (run[0].0, run.len())).collect();
        let mut columns = vec![
            self.symbols.column(runs.iter().map(|(series, rows)| (series.symbol.to_string(), *rows)))?,
            self.timeframes.column(runs.iter().map(|(series, rows)| (series.timeframe.to_string(), *rows)))?,
            self.feeds.column(runs.iter().map(|(series, rows)| (series.feed.to_string(), *rows)))?,
            self.adjustments.column(runs.iter().map(|(series, rows)| (series.adjustment.to_string(), *rows)))?,
        ];
        columns.extend(numbers(bars));
        RecordBatch::try_new(schema.clone(), columns).map_err(Error::encoding)
    }
}

impl Dictionary {
    fn new(names: impl Iterator<Item = String>) -> Self {
        let (mut values, mut keys) = (Vec::new(), HashMap::new());
        for name in names {
            keys.entry(name).or_insert_with_key(|name| {
                values.push(name.clone());
                values.len() as i32 - 1
            });
        }
        Self { values: Arc::new(StringArray::from(values)), keys }
    }

    /// A column of runs of names.
    fn column(&self, runs: impl Iterator<Item = (String, usize)>) -> Result<ArrayRef> {
        let keys = runs.flat_map(|(name, rows)| std::iter::repeat_n(self.keys.get(&name).copied(), rows));
        let column = DictionaryArray::<Int32Type>::try_new(keys.collect::<Int32Array>(), self.values.clone());
        Ok(Arc::new(column.map_err(Error::encoding)?))
    }
}

fn numbers(bars: &[(&Series, Bar)]) -> [ArrayRef; 8] {
    let starts = bars.iter().map(|(_, bar)| bar.start.timestamp_micros());
    let floats = |value: fn(&Bar) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(bars.iter().map(|(_, bar)| value(bar))))
    };
    let counts = bars.iter().map(|(_, bar)| bar.trade_count.and_then(|count| i64::try_from(count).ok()));
    [
        Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC")),
        floats(|bar| bar.open),
        floats(|bar| bar.high),
        floats(|bar| bar.low),
        floats(|bar| bar.close),
        floats(|bar| bar.volume),
        Arc::new(bars.iter().map(|(_, bar)| bar.vwap).collect::<Float64Array>()),
        Arc::new(counts.collect::<Int64Array>()),
    ]
}
