//! What a later run reads: only what may have changed, and all of that.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use barkeep_database::Sqlite;
use barkeep_export::{Destination, Export, Exported};
use barkeep_store::{
    Commit, Committed, Finding, ProviderName, Result, Span, SqliteStore, State, Store, Summary, Traces, Upkeep,
    Withdrawal,
};
use barkeep_types::{Bar, Series, TimeRange};

use crate::support::{Bars, at, files, minutes, series};

/// A store that counts how often bars are asked for.
#[derive(Debug)]
struct Counting {
    store: SqliteStore,
    reads: AtomicUsize,
    leaves_traces: bool,
}

#[async_trait]
impl Store for Counting {
    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        self.store.commit(commit).await
    }

    async fn suspect(&self, series: &Series, range: TimeRange) -> Result<()> {
        self.store.suspect(series, range).await
    }

    async fn coverage(&self, series: &[Series], within: TimeRange) -> Result<Vec<Vec<Span>>> {
        self.store.coverage(series, within).await
    }

    async fn bars(&self, series: &Series, range: TimeRange, limit: usize) -> Result<Vec<Bar>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.bars(series, range, limit).await
    }

    async fn latest(&self, series: &[Series]) -> Result<Vec<Option<Bar>>> {
        self.store.latest(series).await
    }

    async fn summaries(&self, series: &[Series]) -> Result<Vec<Summary>> {
        self.store.summaries(series).await
    }

    async fn series(&self) -> Result<Vec<Series>> {
        self.store.series().await
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        self.store.check().await
    }

    fn traces(&self) -> Option<&dyn Traces> {
        if self.leaves_traces { self.store.traces() } else { None }
    }
}

/// Exports everything; tells what was done, and how often bars were asked for.
async fn run(folder: &Path, store: &SqliteStore) -> (Exported, usize) {
    let counting = Counting { store: store.clone(), reads: AtomicUsize::new(0), leaves_traces: true };
    let export = Export::new(Destination::folder(folder));
    let done = export.run(&counting, &store.series().await.unwrap(), TimeRange::ALWAYS).await.unwrap();
    (done, counting.reads.into_inner())
}

/// Every file is what it would be had nothing been exported before.
async fn is_as_if_new(folder: &Path, store: &SqliteStore) {
    let new = tempfile::tempdir().unwrap();
    let (done, _) = run(new.path(), store).await;
    assert_eq!(done.read, done.rows);
    for path in files(new.path()).iter().filter(|path| path.ends_with(".parquet")) {
        assert_eq!(fs::read(folder.join(path)).unwrap(), fs::read(new.path().join(path)).unwrap(), "{path}");
    }
}

/// AAPL has 60 minutes in either of two years, MSFT has 10 minutes.
async fn three_files() -> Bars {
    let bars = Bars::new().await;
    bars.put(&series("AAPL"), minutes("2023-12-31T23:00:00Z", 120)).await;
    bars.put(&series("MSFT"), minutes("2024-03-08T14:30:00Z", 10)).await;
    bars
}

#[tokio::test]
async fn bars_that_have_not_changed_are_not_read() {
    let (bars, folder) = (three_files().await, tempfile::tempdir().unwrap());
    let (done, reads) = run(folder.path(), &bars.store).await;
    assert_eq!((done.written, done.read, reads), (3, 130, 2));
    let (done, reads) = run(folder.path(), &bars.store).await;
    assert_eq!((done.written, done.unchanged, done.rows, done.read, reads), (0, 3, 130, 0, 0));
    // The same pages again, and time that is doubted, leave bars as they are.
    bars.put(&series("MSFT"), minutes("2024-03-08T14:30:00Z", 10)).await;
    bars.store.suspect(&series("MSFT"), TimeRange::ALWAYS).await.unwrap();
    assert_eq!(run(folder.path(), &bars.store).await.1, 0);
}

#[tokio::test]
async fn of_a_series_that_grows_the_last_year_alone_is_read() {
    let (bars, folder) = (three_files().await, tempfile::tempdir().unwrap());
    run(folder.path(), &bars.store).await;
    // Coverage is one span by now, over both years and what is new.
    bars.put(&series("AAPL"), minutes("2024-01-01T01:00:00Z", 5)).await;
    let (done, reads) = run(folder.path(), &bars.store).await;
    assert_eq!((done.written, done.unchanged, done.read, reads), (1, 2, 65, 1));
    is_as_if_new(folder.path(), &bars.store).await;
}

#[tokio::test]
async fn whatever_changes_bars_is_seen() {
    let (bars, folder) = (three_files().await, tempfile::tempdir().unwrap());
    let (aapl, store) = (series("AAPL"), &bars.store);
    let covered = |from: &str, to: &str| TimeRange::new(at(from), at(to)).unwrap();
    let proof = |range| Commit::new(range).with_proof(aapl.clone(), range, State::Covered);
    store.commit(&proof(covered("2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"))).await.unwrap();
    run(folder.path(), store).await;

    let mut revised = minutes("2024-01-01T00:00:00Z", 1);
    revised[0].close += 0.01;
    bars.put(&aapl, revised).await;
    let (done, _) = run(folder.path(), store).await;
    assert_eq!((done.written, done.read), (1, 60), "a revised bar");

    let late = Commit::new(TimeRange::ALWAYS).with_bars(aapl.clone(), minutes("2025-01-01T12:00:00Z", 1));
    store.commit(&late).await.unwrap();
    assert_eq!(run(folder.path(), store).await.0.written, 1, "a bar that came late into covered time");

    let ahead = Commit::new(TimeRange::ALWAYS).with_bars(aapl.clone(), minutes("2023-06-01T12:00:00Z", 1));
    store.commit(&ahead).await.unwrap();
    let (done, _) = run(folder.path(), store).await;
    assert_eq!((done.written, done.read), (1, 61), "a bar without coverage");

    bars.put(&aapl, minutes("2023-06-02T12:00:00Z", 2)).await;
    assert_eq!(run(folder.path(), store).await.0.written, 1, "a hole filled");

    let wrong = Withdrawal { start: at("2023-12-31T23:30:00Z"), reason: "wrong".to_owned() };
    store.withdraw(&aapl, &[wrong]).await.unwrap();
    assert_eq!(run(folder.path(), store).await.0.written, 1, "a bar taken out");

    store.retain(at("2024-01-01T00:30:00Z")).await.unwrap();
    assert_eq!(run(folder.path(), store).await.0.written, 1, "bars forgotten");
    // Fetched again with other values, and covered as before.
    let mut other = minutes("2023-12-31T23:00:00Z", 90);
    other.iter_mut().for_each(|bar| bar.volume += 1.0);
    bars.put(&aapl, other).await;
    assert_eq!(run(folder.path(), store).await.0.written, 2, "bars that came back");
    is_as_if_new(folder.path(), store).await;
}

#[tokio::test]
async fn a_store_that_was_put_back_is_read_anew() {
    let (place, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, backup) = (place.path().join("bars.db"), place.path().join("backup.db"));
    let put = async |store: &SqliteStore, symbol: &str, volume: f64| {
        let range = TimeRange::new(at("2024-03-08T14:30:00Z"), at("2024-03-08T14:40:00Z")).unwrap();
        let mut bars = minutes("2024-03-08T14:30:00Z", 10);
        bars.iter_mut().for_each(|bar| bar.volume += volume);
        let page = Commit::new(range).with_bars(series(symbol), bars);
        store.commit(&page.with_proof(series(symbol), range, State::Covered)).await.unwrap();
    };
    let database = Sqlite::open(&path).await.unwrap();
    put(&SqliteStore::open(&database, ProviderName::ALPACA).await.unwrap(), "AAPL", 0.0).await;
    database.close().await;
    fs::copy(&path, &backup).unwrap();

    let store = SqliteStore::open(&Sqlite::open(&path).await.unwrap(), ProviderName::ALPACA).await.unwrap();
    put(&store, "MSFT", 0.0).await;
    run(folder.path(), &store).await;
    let restored = SqliteStore::open(&Sqlite::open(&backup).await.unwrap(), ProviderName::ALPACA).await.unwrap();
    put(&restored, "MSFT", 7.0).await;
    let (done, _) = run(folder.path(), &restored).await;
    assert_eq!((done.written, done.unchanged, done.read), (1, 1, 20));
    is_as_if_new(folder.path(), &restored).await;
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_read_and_so_is_one_that_is_not_believed() {
    let (bars, folder) = (three_files().await, tempfile::tempdir().unwrap());
    let all = bars.store.series().await.unwrap();
    let export = Export::new(Destination::folder(folder.path()));
    for leaves_traces in [true, false, false, true] {
        let counting = Counting { store: bars.store.clone(), reads: AtomicUsize::new(0), leaves_traces };
        assert_eq!(export.run(&counting, &all, TimeRange::ALWAYS).await.unwrap().read, 130);
    }
    assert_eq!(run(folder.path(), &bars.store).await.0.read, 0);
    let done = export.reading_all().run(&bars.store, &all, TimeRange::ALWAYS).await.unwrap();
    assert_eq!((done.unchanged, done.read), (3, 130));
}
