//! Recorded bars in Parquet: real files, written here by the format's own crate.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use barkeep_alpaca_sim::{AlpacaSim, Error, Market};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::http::get;

/// A column's values; a null is `None`.
enum Column {
    Whole(Vec<Option<i64>>),
    Short(Vec<i32>),
    Double(Vec<Option<f64>>),
    Float(Vec<f32>),
    Text(&'static str),
}

const MILLIS: &str = "required int64 ts_utc (TIMESTAMP(MILLIS,true));";
const PRICES: &str = "required double open; required double high; required double low; required double close;";

/// Writes a file of one row group for each list of columns.
fn write(path: &Path, columns: &str, compression: Compression, groups: &[Vec<Column>]) {
    let schema = Arc::new(parse_message_type(&format!("message bars {{ {columns} }}")).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    for group in groups {
        let mut rows = writer.next_row_group().unwrap();
        for column in group {
            let mut out = rows.next_column().unwrap().unwrap();
            let levels = |is_some: &dyn Fn(usize) -> bool, count| {
                (0..count).map(|index| i16::from(is_some(index))).collect::<Vec<_>>()
            };
            match column {
                Column::Whole(values) => {
                    let levels = levels(&|index| values[index].is_some(), values.len());
                    let values: Vec<i64> = values.iter().copied().flatten().collect();
                    out.typed::<Int64Type>().write_batch(&values, Some(&levels), None).unwrap();
                }
                Column::Double(values) => {
                    let levels = levels(&|index| values[index].is_some(), values.len());
                    let values: Vec<f64> = values.iter().copied().flatten().collect();
                    out.typed::<DoubleType>().write_batch(&values, Some(&levels), None).unwrap();
                }
                Column::Short(values) => drop(out.typed::<Int32Type>().write_batch(values, None, None).unwrap()),
                Column::Float(values) => drop(out.typed::<FloatType>().write_batch(values, None, None).unwrap()),
                Column::Text(text) => {
                    out.typed::<ByteArrayType>().write_batch(&[ByteArray::from(*text)], None, None).unwrap();
                }
            }
            out.close().unwrap();
        }
        rows.close().unwrap();
    }
    writer.close().unwrap();
}

/// 2005-01-03 and 04, midnight in New York, in milliseconds.
const DAYS: [i64; 2] = [1_104_728_400_000, 1_104_814_800_000];

fn doubles(values: &[f64]) -> Column {
    Column::Double(values.iter().copied().map(Some).collect())
}

fn days(unit: i64) -> Column {
    Column::Whole(DAYS.iter().map(|day| Some(day * unit)).collect())
}

fn prices(rows: usize) -> [Column; 4] {
    [10.5, 12.0, 9.25, 11.0].map(|price| doubles(&vec![price; rows]))
}

async fn served(folder: &Path) -> Vec<(String, [f64; 5])> {
    let sim = AlpacaSim::options().with_market(Market::recorded(folder).unwrap()).start().await.unwrap();
    let path = "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2005-01-01&end=2005-03-31&limit=10000";
    let json = get(&sim, path).await.json();
    let bars = json["bars"]["AAPL"].as_array().unwrap().iter();
    bars.map(|bar| {
        (bar["t"].as_str().unwrap().to_owned(), ["o", "h", "l", "c", "v"].map(|name| bar[name].as_f64().unwrap()))
    })
    .collect()
}

#[tokio::test]
async fn every_number_of_a_parquet_file_is_served_as_it_was_written() {
    let expected = [("2005-01-03T05:00:00Z", 100.0), ("2005-01-04T05:00:00Z", 200.0)]
        .map(|(start, volume)| (start.to_owned(), [10.5, 12.0, 9.25, 11.0, volume]));
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for (unit, scale, compression) in [
        ("TIMESTAMP(MILLIS,true)", 1, Compression::UNCOMPRESSED),
        ("TIMESTAMP_MICROS", 1_000, Compression::SNAPPY),
        ("TIMESTAMP(NANOS,false)", 1_000_000, zstd),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let columns = format!("optional int64 ts_utc ({unit}); {PRICES} optional int64 volume;");
        let volume = Column::Whole(vec![Some(100), Some(200)]);
        let group = [days(scale)].into_iter().chain(prices(2)).chain([volume]).collect();
        write(&folder.path().join("aapl_d1.parquet"), &columns, compression, &[group]);
        assert_eq!(served(folder.path()).await, expected, "{unit}");
    }
}

#[tokio::test]
async fn narrow_numbers_other_columns_and_several_row_groups_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let columns =
        format!("required int32 volume; required binary source (UTF8); {PRICES} optional float vwap; {MILLIS}")
            .replace("required double low", "required float low")
            .replace("optional float vwap", "required float vwap");
    let group = |day: usize, volume| {
        let [open, high, _, close] = prices(1);
        let [low, vwap] = [9.25, 10.0].map(|price| Column::Float(vec![price]));
        let start = Column::Whole(vec![Some(DAYS[day])]);
        vec![Column::Short(vec![volume]), Column::Text("tape"), open, high, low, close, vwap, start]
    };
    write(&folder.path().join("aapl_d1.parquet"), &columns, Compression::SNAPPY, &[group(0, 100), group(1, 200)]);
    let bars = served(folder.path()).await;
    assert_eq!(bars.len(), 2);
    assert_eq!(bars[1], ("2005-01-04T05:00:00Z".to_owned(), [10.5, 12.0, 9.25, 11.0, 200.0]));
}

/// What is said of a file with these columns and values.
fn complaint(columns: &str, group: Vec<Column>) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("aapl_d1.parquet"), columns, Compression::SNAPPY, &[group]);
    let error = Market::recorded(folder.path()).unwrap_err();
    assert_eq!(error.code(), "MALFORMED_RECORD");
    error.to_string()
}

#[test]
fn a_malformed_table_is_named_with_its_row() {
    let whole = format!("{MILLIS} {PRICES} required double volume;");
    let group = |start, [open, high, low, close]: [Column; 4], volume: &[f64]| {
        vec![start, open, high, low, close, doubles(volume)]
    };
    let same = || Column::Whole(vec![Some(DAYS[0]); 2]);
    let text = complaint(&whole, group(same(), prices(2), &[1.0, 2.0]));
    assert!(text.contains("aapl_d1.parquet:2: it does not start after the one before"), "{text}");
    let text = complaint(&whole, group(days(1), prices(2), &[1.0, -2.0]));
    assert!(text.contains("aapl_d1.parquet:2: "), "{text}");
    let text = complaint(&whole, group(Column::Whole(Vec::new()), prices(0), &[]));
    assert!(text.contains("there is no bar"), "{text}");

    let text = complaint(&format!("{MILLIS} {PRICES}"), [days(1)].into_iter().chain(prices(2)).collect());
    assert!(text.contains("aapl_d1.parquet:0: there is no column volume"), "{text}");
    let nulls = whole.replace("required double volume", "optional double volume");
    let mut lacking = group(days(1), prices(2), &[]);
    lacking[5] = Column::Double(vec![Some(1.0), None]);
    let text = complaint(&nulls, lacking);
    assert!(text.contains("volume lacks values"), "{text}");
    let untimed = whole.replace(" (TIMESTAMP(MILLIS,true))", "");
    let text = complaint(&untimed, group(days(1), prices(2), &[1.0, 2.0]));
    assert!(text.contains("ts_utc is no column of timestamps"), "{text}");
    let wordy = whole.replace("required double volume", "required binary volume");
    let mut words = group(Column::Whole(vec![Some(DAYS[0])]), prices(1), &[]);
    words[5] = Column::Text("many");
    assert!(complaint(&wordy, words).contains("volume is no column of numbers"));
}

#[test]
fn what_is_no_parquet_file_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"PAR1", b"ts_utc,open,high,low,close,volume\n", &[0xff; 4096]] {
        std::fs::write(folder.path().join("aapl_d1.parquet"), bytes).unwrap();
        let error = Market::recorded(folder.path()).unwrap_err();
        assert!(matches!(error, Error::MalformedRecord { line: 0, .. }), "{error}");
    }
}

#[test]
fn the_same_bars_twice_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let columns = format!("{MILLIS} {PRICES} required double volume;");
    let group = [days(1)].into_iter().chain(prices(2)).chain([doubles(&[1.0, 2.0])]).collect();
    write(&folder.path().join("aapl_d1.parquet"), &columns, Compression::SNAPPY, &[group]);
    let text = "ts_utc,open,high,low,close,volume\n2005-01-03T05:00:00Z,10,11,9,10,100\n";
    std::fs::write(folder.path().join("AAPL_d1.csv"), text).unwrap();
    let error = Market::recorded(folder.path()).unwrap_err();
    assert!(error.to_string().contains("another file of the folder holds the same bars"), "{error}");
}
