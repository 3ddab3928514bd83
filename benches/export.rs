//! Writing bars as Parquet, beside the parquet crate alone, and how long the files are.
//!
//!     cargo bench -p benches --bench export
//!
//! The bound comes in two kinds: the parquet crate writing the float columns that `barkeep_export::batches` hands out,
//! with its own defaults and zstd; and writing the very columns that barkeep writes, made beforehand.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use barkeep_alpaca_sim::Market;
use barkeep_export::arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use barkeep_export::{Format, Number, parquet_file};
use barkeep_types::{Adjustment, Bar, Feed, Series, TimeRange, Timeframe};
use benches::universe::Dice;
use benches::{is_measuring, print_ratio, shortest};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};

/// A year of minutes in regular hours.
const MINUTES: usize = 98_280;
const MOST_BYTES: f64 = 12.0;

fn main() {
    println!("{:24} {:>9} {:>8} {:>9} {:>9} {:>9}  format", "bars", "bars/file", "B/bar", "ours", "floats", "columns");
    for (name, files) in [
        ("made_up_cents", vec![made_up(2)]),
        ("made_up_four_decimals", vec![made_up(4)]),
        ("simulated_m1", vec![simulated(Timeframe::M1)]),
        ("simulated_d1", vec![simulated(Timeframe::D1)]),
        ("real_d1", real()),
    ] {
        measure(name, &files);
    }
}

/// One file a list of bars, all of one format.
fn measure(name: &str, files: &[Vec<Bar>]) {
    let format = files.iter().fold(Format::NARROWEST, |format, bars| format.with(bars));
    assert_ne!(format.prices, Number::Float, "{name} is of decimals");
    let bars: usize = files.iter().map(Vec::len).sum();
    let ours: Vec<Vec<u8>> = files.iter().map(|bars| whole(bars, format)).collect();
    let floats: Vec<RecordBatch> = files.iter().map(|bars| float_columns(bars)).collect();
    let columns: Vec<RecordBatch> = ours.iter().map(|file| read(file)).collect();
    for (file, bars) in columns.iter().zip(files) {
        assert_eq!(file.num_rows(), bars.len());
    }
    // In turns, so that a busy machine harms them alike.
    let mut best = [Duration::MAX; 3];
    for _ in 0..if is_measuring() { 5 } else { 1 } {
        let all = [
            shortest(2, || files.iter().for_each(|bars| _ = black_box(Sha256::digest(whole(bars, format))))),
            shortest(2, || floats.iter().for_each(|batch| _ = black_box(write(batch, defaults(), false)))),
            shortest(2, || columns.iter().for_each(|batch| _ = black_box(write(batch, differences(), true)))),
        ];
        best = std::array::from_fn(|kind| best[kind].min(all[kind]));
    }
    let [ours_ns, floats_ns, columns_ns] = best.map(|time| time.as_secs_f64() * 1e9 / bars as f64);
    let bytes = ours.iter().map(Vec::len).sum::<usize>() as f64 / bars as f64;
    println!(
        "{name:24} {:>9} {bytes:>8.2} {ours_ns:>6.0} ns {floats_ns:>6.0} ns {columns_ns:>6.0} ns  {} {} {}",
        bars / files.len(),
        format.prices,
        format.vwap,
        format.volume
    );
    print_ratio(&format!("export/{name}/parquet_alone_floats"), floats_ns / ours_ns);
    print_ratio(&format!("export/{name}/parquet_alone_same_columns"), columns_ns / ours_ns);
    print_ratio(&format!("export/{name}/twelve_bytes_a_bar"), MOST_BYTES / bytes);
}

fn whole(bars: &[Bar], format: Format) -> Vec<u8> {
    parquet_file(black_box(bars), format).expect("bars can be encoded").expect("the format holds them")
}

fn write(batch: &RecordBatch, properties: WriterProperties, plain: bool) -> Vec<u8> {
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(plain);
    let mut file = Vec::with_capacity(batch.num_rows() * 16);
    let mut writer = ArrowWriter::try_new_with_options(&mut file, batch.schema(), options).expect("a writer");
    writer.write(black_box(batch)).expect("memory");
    writer.close().expect("memory");
    file
}

fn defaults() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build()
}

fn differences() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BINARY_PACKED)
        .build()
}

fn read(file: &[u8]) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(file)).expect("a file");
    let mut batches = reader.with_batch_size(1 << 20).build().expect("a reader");
    batches.next().expect("one batch").expect("whole")
}

fn float_columns(bars: &[Bar]) -> RecordBatch {
    let floats = |value: fn(&Bar) -> f64| Arc::new(Float64Array::from_iter_values(bars.iter().map(value))) as ArrayRef;
    let starts = TimestampMicrosecondArray::from_iter_values(bars.iter().map(|bar| bar.start.timestamp_micros()));
    let counts = bars.iter().map(|bar| bar.trade_count.map(u64::cast_signed));
    let columns: [(&str, ArrayRef); 8] = [
        ("starts_at", Arc::new(starts.with_timezone("UTC"))),
        ("open", floats(|bar| bar.open)),
        ("high", floats(|bar| bar.high)),
        ("low", floats(|bar| bar.low)),
        ("close", floats(|bar| bar.close)),
        ("volume", floats(|bar| bar.volume)),
        ("vwap", Arc::new(bars.iter().map(|bar| bar.vwap).collect::<Float64Array>())),
        ("trade_count", Arc::new(counts.collect::<Int64Array>())),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// A walk as minutes go: prices of so many decimals, vwaps of six, volumes that are small more often than large.
fn made_up(decimals: i32) -> Vec<Bar> {
    let (mut dice, one) = (Dice::new(7), 10_f64.powi(decimals));
    let mut close = 170 * 10_usize.pow(decimals.unsigned_abs());
    let step = 10_usize.pow(decimals.unsigned_abs()) / 10;
    let mut start = DateTime::from_timestamp(1_704_205_800, 0).expect("an instant");
    let mut bar = |index: usize| {
        let open = close;
        close = (close + dice.below(step + 1)).saturating_sub(step / 2).max(10 * step);
        let (high, low) = (open.max(close) + dice.below(step / 2), open.min(close) - dice.below(step / 2));
        let scale = 4 + dice.below(13);
        let volume = 100 + dice.below(1 << scale);
        let price = |price: usize| price as f64 / one;
        let vwap = ((price(high) + price(low)) / 2.0 * 1e6 + dice.below(10_000) as f64).round() / 1e6;
        let at = start;
        // Nights and weekends, in short.
        start += TimeDelta::minutes(if index % 390 == 389 { 1_051 } else { 1 });
        Bar {
            start: at,
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume: volume as f64,
            vwap: Some(vwap),
            trade_count: Some((1 + volume / (20 + dice.below(50))) as u64),
        }
    };
    (0..MINUTES).map(&mut bar).collect()
}

fn simulated(timeframe: Timeframe) -> Vec<Bar> {
    let at = |text: &str| text.parse().expect("an instant");
    let end = if is_measuring() { "2024-01-01T00:00:00Z" } else { "2023-02-01T00:00:00Z" };
    let range = TimeRange::new(at("2023-01-01T00:00:00Z"), at(end)).expect("a range");
    let symbol = "AAPL".parse().expect("a symbol");
    let series = Series { symbol, timeframe, feed: Feed::SIP, adjustment: Adjustment::RAW };
    Market::new(7).truth(&series, range)
}

/// The bars of tests/data, a file each.
fn real() -> Vec<Vec<Bar>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/real-bars");
    let market = Market::recorded(&folder).expect("recorded bars");
    assert!(fs::read_dir(folder).expect("a folder").count() > 3);
    let series = market.recorded_series();
    let bars = series.iter().map(|recorded| {
        let series = Series {
            symbol: recorded.symbol.clone(),
            timeframe: recorded.timeframe,
            feed: Feed::SIP,
            adjustment: Adjustment::RAW,
        };
        let range = TimeRange::new(recorded.first, recorded.last + TimeDelta::seconds(1)).expect("a range");
        market.truth(&series, range)
    });
    bars.collect()
}
