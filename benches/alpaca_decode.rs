//! Reading a page of 10,000 bars from Alpaca's JSON, beside what people use today: typed `serde_json`,
//! `serde_json::Value`, and the fastest JSON crate.
//!
//!     cargo bench -p benches --bench alpaca_decode
//!
//! The typed peers come in two kinds. One reads instants as instants, as barkeep does. The other leaves them the texts
//! they are, which is less work: it is the bound.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read, Write as _};
use std::time::{Duration, Instant};

use barkeep_alpaca::read_page;
use benches::universe::Dice;
use benches::{is_measuring, print_ratio};
use chrono::{DateTime, Utc};
use criterion::{Criterion, Throughput};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;

const BARS: usize = 10_000;

#[derive(Deserialize)]
struct TypedPage<I> {
    bars: BTreeMap<String, Vec<TypedBar<I>>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct TypedBar<I> {
    t: I,
    o: f64,
    h: f64,
    l: f64,
    c: f64,
    v: f64,
    vw: Option<f64>,
    n: Option<u64>,
}

impl<I> TypedPage<I> {
    /// Looks at everything, so that nothing is left unread.
    fn check(self) -> f64 {
        black_box(&self.next_page_token);
        let sum = |bar: &TypedBar<I>| {
            black_box(&bar.t);
            bar.o + bar.h + bar.l + bar.c + bar.v + bar.vw.unwrap_or(0.0) + bar.n.unwrap_or(0) as f64
        };
        self.bars.values().flatten().map(sum).sum()
    }
}

/// One way to read a page, to the sum of its numbers.
struct Reader {
    name: &'static str,
    read: fn(&[u8]) -> f64,
}

const READERS: [Reader; 6] = [
    Reader { name: "barkeep", read: barkeep },
    Reader {
        name: "serde_json_typed",
        read: |json| serde_json::from_slice::<TypedPage<DateTime<Utc>>>(json).expect("a page").check(),
    },
    Reader {
        name: "sonic_typed",
        read: |json| sonic_rs::from_slice::<TypedPage<DateTime<Utc>>>(json).expect("a page").check(),
    },
    Reader {
        name: "serde_json_texts",
        read: |json| serde_json::from_slice::<TypedPage<&str>>(json).expect("a page").check(),
    },
    Reader { name: "sonic_texts", read: |json| sonic_rs::from_slice::<TypedPage<&str>>(json).expect("a page").check() },
    Reader { name: "serde_json_value", read: value },
];

fn barkeep(json: &[u8]) -> f64 {
    let page = read_page(json).expect("a page");
    let bars = page.bars.iter().flat_map(|of| &of.bars);
    bars.map(|bar| {
        let (vwap, trades) = (bar.vwap.unwrap_or(0.0), bar.trade_count.unwrap_or(0));
        bar.open + bar.high + bar.low + bar.close + bar.volume + vwap + trades as f64
    })
    .sum()
}

fn value(json: &[u8]) -> f64 {
    let page: serde_json::Value = serde_json::from_slice(json).expect("a page");
    let of = page["bars"].as_object().expect("bars").values();
    let bars = of.flat_map(|bars| bars.as_array().expect("bars"));
    let number = |bar: &serde_json::Value, name: &str| bar[name].as_f64().expect("a number");
    bars.map(|bar| ["o", "h", "l", "c", "v", "vw", "n"].map(|name| number(bar, name)).iter().sum::<f64>()).sum()
}

/// A full page over some symbols, printed as Alpaca prints it.
fn page(symbols: usize) -> String {
    let (mut json, mut dice) = (String::from(r#"{"bars":{"#), Dice::new(7));
    for symbol in 0..symbols {
        let comma = if symbol == 0 { "" } else { "," };
        let _ = write!(json, r#"{comma}"S{symbol:03}":["#);
        for minute in 0..BARS / symbols {
            let comma = if minute == 0 { "" } else { "," };
            let start = DateTime::from_timestamp(1_709_562_600 + 60 * minute as i64, 0).expect("an instant");
            let mut cents = || (17_000 + dice.below(500)) as f64 / 100.0;
            let [open, high, low, close] = [cents(), cents(), cents(), cents()];
            let (trades, volume, vwap) = (dice.below(1_000), dice.below(100_000), 170_000_000 + dice.below(5_000_000));
            let (start, vwap) = (start.format("%Y-%m-%dT%H:%M:%SZ"), vwap as f64 / 1e6);
            let _ = write!(
                json,
                r#"{comma}{{"c":{close},"h":{high},"l":{low},"n":{trades},"o":{open},"t":"{start}","v":{volume},"vw":{vwap}}}"#
            );
        }
        json.push(']');
    }
    json + r#"},"next_page_token":"UzAwMHxNfDE3MDk1NjI2MDAwMDAwMDAwMDA="}"#
}

fn gzip(json: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json).expect("memory");
    encoder.finish().expect("memory")
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut json = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut json).expect("gzip");
    json
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    for (name, symbols) in [("one_symbol", 1), ("twenty_symbols", 20), ("two_hundred_symbols", 200)] {
        let json = page(symbols);
        let sums: Vec<f64> = READERS.iter().map(|reader| (reader.read)(json.as_bytes())).collect();
        assert!(sums.iter().all(|sum| (sum - sums[0]).abs() < 1e-3), "all read the same: {sums:?}");
        compare(name, json.as_bytes());
        measure(&mut criterion, name, json.as_bytes());
    }
    criterion.final_summary();
}

/// Times all readers in turns, so that a busy machine harms them alike, and keeps the best of each.
fn compare(name: &str, json: &[u8]) {
    let runs = if is_measuring() { 200 } else { 1 };
    let mut best = [Duration::MAX; READERS.len()];
    for _ in 0..runs {
        for (reader, best) in READERS.iter().zip(&mut best) {
            // Once for the memory that the reader before may have given back.
            black_box((reader.read)(black_box(json)));
            let start = Instant::now();
            black_box((reader.read)(black_box(json)));
            *best = start.elapsed().min(*best);
        }
    }
    println!("{name}: {} bytes", json.len());
    for (reader, best) in READERS.iter().zip(best) {
        println!(
            "  {:20} {:7.3} ms {:6.0} MB/s",
            reader.name,
            best.as_secs_f64() * 1e3,
            json.len() as f64 / best.as_secs_f64() / 1e6
        );
    }
    let ours = best[0].as_secs_f64();
    let fastest = best[1..].iter().min().map_or(0.0, Duration::as_secs_f64);
    print_ratio(&format!("alpaca_decode/{name}/fastest"), fastest / ours);
    print_ratio(&format!("alpaca_decode/{name}/value"), best[READERS.len() - 1].as_secs_f64() / ours);
}

fn measure(criterion: &mut Criterion, name: &str, json: &[u8]) {
    let mut group = criterion.benchmark_group(format!("alpaca_decode/{name}"));
    group.throughput(Throughput::Elements(BARS as u64));
    let packed = gzip(json);
    group.bench_function("plain", |bench| bench.iter(|| read_page(black_box(json))));
    group.bench_function("gzip", |bench| bench.iter(|| read_page(&gunzip(black_box(&packed)))));
    group.bench_function("gzip_alone", |bench| bench.iter(|| gunzip(black_box(&packed))));
    group.finish();
}
