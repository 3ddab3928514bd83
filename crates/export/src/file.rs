//! A partition as a Parquet file.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Decimal64Array, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use barkeep_types::Bar;
use bytes::Bytes;
use chrono::DateTime;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::format::{Format, Number, power, scaled};
use crate::{Error, Result};

/// So few that their columns stay in the processor's cache.
const ROWS: usize = 4_096;

/// Bars in order as the bytes of a Parquet file, as [`Export`](crate::Export) writes them; `None` if the format does not
/// hold one of their numbers.
///
/// ```
/// use barkeep_export::{Format, parquet_file};
/// # let bars: [barkeep_types::Bar; 0] = [];
///
/// let file = parquet_file(&bars, Format::NARROWEST.with(&bars))?.expect("the format holds them");
/// assert!(file.starts_with(b"PAR1"));
/// # Ok::<(), barkeep_export::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Encoding`].
pub fn parquet_file(bars: &[Bar], format: Format) -> Result<Option<Vec<u8>>> {
    // Arrow's own schema is left out: readers then take the file's types, which every reader knows.
    let options = ArrowWriterOptions::new().with_properties(properties(format)).with_skip_arrow_metadata(true);
    let schema = Arc::new(schema(format));
    let mut file = Vec::with_capacity(bars.len() * 16 + 8_192);
    let mut writer = ArrowWriter::try_new_with_options(&mut file, schema.clone(), options).map_err(Error::encoding)?;
    for bars in bars.chunks(ROWS) {
        let Some(columns) = columns(bars, format) else { return Ok(None) };
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(Error::encoding)?;
        writer.write(&batch).map_err(Error::encoding)?;
    }
    writer.close().map_err(Error::encoding)?;
    Ok(Some(file))
}

fn schema(format: Format) -> Schema {
    let price = |name| Field::new(name, format.prices.data_type(), false);
    Schema::new(vec![
        Field::new("starts_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        price("open"),
        price("high"),
        price("low"),
        price("close"),
        Field::new("volume", format.volume.data_type(), false),
        Field::new("vwap", format.vwap.data_type(), true),
        Field::new("trade_count", DataType::Int64, true),
    ])
}

fn properties(format: Format) -> WriterProperties {
    let columns = [
        ("starts_at", Number::Fixed(0)),
        ("open", format.prices),
        ("high", format.prices),
        ("low", format.prices),
        ("close", format.prices),
        ("volume", format.volume),
        ("vwap", format.vwap),
        ("trade_count", Number::Fixed(0)),
    ];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_sorting_columns(Some(vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]));
    for (name, number) in columns {
        // Bars resemble their neighbours: differences are short. Floats repeat: a dictionary is shorter.
        if let Number::Fixed(_) = number {
            properties = properties
                .set_column_dictionary_enabled(ColumnPath::from(name), false)
                .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}

fn columns(bars: &[Bar], format: Format) -> Option<Vec<ArrayRef>> {
    let starts = bars.iter().map(|bar| bar.start.timestamp_micros());
    let price = |price: fn(&Bar) -> f64| numbers(bars.iter().map(price), format.prices);
    let counts = bars.iter().map(|bar| bar.trade_count.and_then(|count| i64::try_from(count).ok()));
    Some(vec![
        Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC")),
        price(|bar| bar.open)?,
        price(|bar| bar.high)?,
        price(|bar| bar.low)?,
        price(|bar| bar.close)?,
        numbers(bars.iter().map(|bar| bar.volume), format.volume)?,
        optional_numbers(bars.iter().map(|bar| bar.vwap), format.vwap)?,
        Arc::new(counts.collect::<Int64Array>()),
    ])
}

fn numbers(values: impl Iterator<Item = f64>, number: Number) -> Option<ArrayRef> {
    let Number::Fixed(decimals) = number else {
        return Some(Arc::new(Float64Array::from_iter_values(values)));
    };
    let power = power(decimals);
    // Asked once at the end, not at every number.
    let mut fits = true;
    let whole = values.map(|value| {
        let (whole, is_exact) = scaled(value, power);
        fits &= is_exact;
        whole
    });
    let whole: Vec<i64> = whole.collect();
    if fits { typed(Int64Array::from(whole), number) } else { None }
}

fn optional_numbers(values: impl Iterator<Item = Option<f64>>, number: Number) -> Option<ArrayRef> {
    let Number::Fixed(decimals) = number else { return Some(Arc::new(values.collect::<Float64Array>())) };
    let power = power(decimals);
    let mut fits = true;
    let mut whole = |value| {
        let (whole, is_exact) = scaled(value, power);
        fits &= is_exact;
        whole
    };
    let whole: Int64Array = values.map(|value| value.map(&mut whole)).collect();
    if fits { typed(whole, number) } else { None }
}

/// Whole numbers, told what they stand for.
fn typed(whole: Int64Array, number: Number) -> Option<ArrayRef> {
    match number.data_type() {
        DataType::Decimal64(precision, scale) => {
            let decimals: Decimal64Array = whole.reinterpret_cast();
            Some(Arc::new(decimals.with_precision_and_scale(precision, scale).ok()?))
        }
        _ => Some(Arc::new(whole)),
    }
}

/// The bars of a file that was written here, in whatever format.
pub(crate) fn bars(file: Vec<u8>) -> Result<Vec<Bar>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).map_err(Error::encoding)?;
    let mut bars = Vec::new();
    for batch in reader.build().map_err(Error::encoding)? {
        read_batch(&batch.map_err(Error::encoding)?, &mut bars)?;
    }
    Ok(bars)
}

fn read_batch(batch: &RecordBatch, bars: &mut Vec<Bar>) -> Result<()> {
    let unknown = || Error::encoding("a file of the export has other columns than it was written with");
    let column = |name| batch.column_by_name(name).ok_or_else(unknown);
    let floats = |name| column(name).and_then(|column| read_numbers(column).ok_or_else(unknown));
    let starts = column("starts_at")?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(unknown)?;
    let counts = column("trade_count")?.as_primitive_opt::<Int64Type>().ok_or_else(unknown)?;
    let (open, high, low, close) = (floats("open")?, floats("high")?, floats("low")?, floats("close")?);
    let (volume, vwap) = (floats("volume")?, floats("vwap")?);
    for row in 0..batch.num_rows() {
        bars.push(Bar {
            start: DateTime::from_timestamp_micros(starts.value(row)).ok_or_else(unknown)?,
            open: open.value(row),
            high: high.value(row),
            low: low.value(row),
            close: close.value(row),
            volume: volume.value(row),
            vwap: vwap.is_valid(row).then(|| vwap.value(row)),
            trade_count: counts.is_valid(row).then(|| counts.value(row).cast_unsigned()),
        });
    }
    Ok(())
}

/// A column of numbers as floats, exactly those that were written.
fn read_numbers(column: &ArrayRef) -> Option<Float64Array> {
    match column.data_type() {
        DataType::Float64 => Some(column.as_primitive::<Float64Type>().clone()),
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().unary(|whole| whole as f64)),
        DataType::Decimal128(_, decimals) => {
            let power = power(u8::try_from(*decimals).ok()?);
            Some(column.as_primitive::<Decimal128Type>().unary(|whole| whole as f64 / power))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(second: i64, price: f64) -> Bar {
        let start = DateTime::from_timestamp(second, 0).unwrap();
        let (vwap, trade_count) = (Some(price), Some(7));
        Bar { start, open: price, high: price, low: price, close: price, volume: 100.0, vwap, trade_count }
    }

    #[test]
    fn a_file_reads_back_as_the_bars_it_was_written_from() {
        let quiet = Bar { vwap: None, trade_count: None, volume: 0.0, ..bar(0, 170.25) };
        for prices in [[170.25, 0.01], [0.0001, 33_012.123_4], [0.1 + 0.2, 1e9]] {
            let bars = vec![quiet, bar(60, prices[0]), bar(120, prices[1])];
            let format = Format::NARROWEST.with(&bars);
            let file = parquet_file(&bars, format).unwrap().unwrap();
            assert_eq!(super::bars(file).unwrap(), bars, "{format:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_rounded() {
        assert_eq!(parquet_file(&[bar(0, 1.005)], Format::NARROWEST).unwrap(), None);
        assert_eq!(parquet_file(&[Bar { volume: 0.5, ..bar(0, 1.0) }], Format::NARROWEST).unwrap(), None);
        assert_eq!(parquet_file(&[Bar { vwap: Some(1.0 / 3.0), ..bar(0, 1.0) }], Format::NARROWEST).unwrap(), None);
    }
}
