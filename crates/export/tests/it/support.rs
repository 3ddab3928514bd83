//! A store with bars, and readers of what came out.

use std::path::Path;

use barkeep_database::Sqlite;
use barkeep_store::{Commit, ProviderName, SqliteStore, State, Store};
use barkeep_types::{Adjustment, Bar, Feed, Series, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

pub(crate) struct Bars {
    pub(crate) store: SqliteStore,
    // Outlived by the store's file.
    _folder: TempDir,
}

impl Bars {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
        Self { store: SqliteStore::open(&database, ProviderName::ALPACA).await.unwrap(), _folder: folder }
    }

    pub(crate) async fn put(&self, series: &Series, bars: Vec<Bar>) {
        let (first, last) = (bars[0].start, bars[bars.len() - 1].start);
        let range = TimeRange::new(first, last + TimeDelta::minutes(1)).unwrap();
        let page = Commit::new(range).with_bars(series.clone(), bars).with_proof(series.clone(), range, State::Covered);
        self.store.commit(&page).await.unwrap();
    }
}

pub(crate) fn series(symbol: &str) -> Series {
    let symbol = symbol.parse().unwrap();
    Series { symbol, timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Some minutes of bars, in cents.
pub(crate) fn minutes(from: &str, count: i64) -> Vec<Bar> {
    let bar = |minute: i64| {
        let price = 170.0 + minute as f64 / 100.0;
        Bar {
            start: at(from) + TimeDelta::minutes(minute),
            open: price,
            high: price + 0.5,
            low: price - 0.5,
            close: price,
            volume: 1_000.0 + minute as f64,
            vwap: (minute % 3 > 0).then_some(price),
            trade_count: (minute % 5 > 0).then_some(minute.unsigned_abs()),
        }
    };
    (0..count).map(bar).collect()
}

/// The paths of all files below a folder, relative to it, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, root, found),
                false => found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}
