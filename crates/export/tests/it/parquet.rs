use std::fs;
use std::path::Path;

use barkeep_export::{Destination, Export, Exported, Format, Manifest, Number};
use barkeep_store::Store;
use barkeep_types::{Series, TimeRange};
use sha2::{Digest, Sha256};

use crate::support::{Bars, at, files, minutes, series};

async fn run(folder: &Path, bars: &Bars, series: &[Series]) -> Exported {
    Export::new(Destination::folder(folder)).run(&bars.store, series, TimeRange::ALWAYS).await.unwrap()
}

async fn manifest(folder: &Path) -> Manifest {
    Export::new(Destination::folder(folder)).manifest().await.unwrap().unwrap()
}

const AAPL_2023: &str = "feed=sip/adjustment=raw/timeframe=m1/symbol=AAPL/year=2023/bars.parquet";
const AAPL_2024: &str = "feed=sip/adjustment=raw/timeframe=m1/symbol=AAPL/year=2024/bars.parquet";

#[tokio::test]
async fn a_series_becomes_one_file_a_year_and_a_manifest_that_tells_what_they_hold() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2023-12-31T23:00:00Z", 120)).await;
    let done = run(folder.path(), &bars, &[series("AAPL")]).await;
    assert_eq!((done.written, done.unchanged, done.rows), (2, 0, 120));
    assert_eq!(files(folder.path()), ["_manifest.json", AAPL_2023, AAPL_2024]);
    let manifest = manifest(folder.path()).await;
    assert_eq!(manifest.format, Format::NARROWEST);
    let told: Vec<_> = manifest.partitions.iter().map(|entry| (entry.rows, entry.first, entry.last)).collect();
    let (first, second) = (at("2023-12-31T23:00:00Z"), at("2024-01-01T00:00:00Z"));
    assert_eq!(told, [(60, first, at("2023-12-31T23:59:00Z")), (60, second, at("2024-01-01T00:59:00Z"))]);
    for entry in &manifest.partitions {
        let bytes = fs::read(folder.path().join(&entry.path)).unwrap();
        assert_eq!(bytes.len() as u64, entry.bytes);
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, entry.sha256);
    }
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 10)).await;
    run(folder.path(), &bars, &[series("AAPL")]).await;
    let touched = |path: &str| fs::metadata(folder.path().join(path)).unwrap().modified().unwrap();
    let before = [touched(AAPL_2024), touched("_manifest.json")];
    let done = run(folder.path(), &bars, &[series("AAPL")]).await;
    assert_eq!((done.written, done.unchanged, done.rows), (0, 1, 10));
    assert_eq!([touched(AAPL_2024), touched("_manifest.json")], before);
}

#[tokio::test]
async fn a_later_run_writes_what_has_changed_alone() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2023-12-31T23:00:00Z", 120)).await;
    bars.put(&series("MSFT"), minutes("2024-03-08T14:30:00Z", 10)).await;
    let all = [series("AAPL"), series("MSFT")];
    run(folder.path(), &bars, &all).await;
    // A revised bar that leaves coverage as it was.
    let mut revised = minutes("2024-01-01T00:00:00Z", 1);
    revised[0].close += 0.01;
    bars.put(&series("AAPL"), revised).await;
    let done = run(folder.path(), &bars, &all).await;
    assert_eq!((done.written, done.unchanged), (1, 2));
    // A file that somebody has deleted.
    fs::remove_file(folder.path().join(AAPL_2023)).unwrap();
    assert_eq!(run(folder.path(), &bars, &all).await.written, 1);
}

#[tokio::test]
async fn a_run_over_part_of_a_year_exports_the_whole_year_and_leaves_the_others() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2023-12-31T23:00:00Z", 120)).await;
    let part = TimeRange::new(at("2024-01-01T00:30:00Z"), at("2024-01-01T00:31:00Z")).unwrap();
    let export = Export::new(Destination::folder(folder.path()));
    let done = export.run(&bars.store, &[series("AAPL")], part).await.unwrap();
    assert_eq!((done.written, done.rows), (1, 60));
    assert_eq!(files(folder.path()), ["_manifest.json", AAPL_2024]);
}

#[tokio::test]
async fn every_file_of_an_export_has_the_same_types_whatever_comes_later() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 10)).await;
    run(folder.path(), &bars, &[series("AAPL")]).await;
    assert_eq!(manifest(folder.path()).await.format.prices, Number::Fixed(2));
    let mut fine = minutes("2024-03-08T14:30:00Z", 10);
    fine[3].close += 0.0001;
    fine[4].volume += 0.5;
    bars.put(&series("MSFT"), fine).await;
    // AAPL is not asked for, and comes along.
    let done = run(folder.path(), &bars, &[series("MSFT")]).await;
    assert_eq!(done.written, 2);
    let told = manifest(folder.path()).await;
    assert_eq!(told.format, Format { prices: Number::Fixed(4), vwap: Number::Fixed(2), volume: Number::Fixed(1) });
    assert!(told.partitions.iter().all(|entry| entry.format == told.format));
    // What no decimal holds makes floats of all prices.
    let mut odd = minutes("2024-03-09T14:30:00Z", 1);
    odd[0].close = 170.1 + 1e-11;
    bars.put(&series("TSLA"), odd).await;
    assert_eq!(run(folder.path(), &bars, &[series("TSLA")]).await.written, 3);
    assert_eq!(manifest(folder.path()).await.format.prices, Number::Float);
    // Nothing was lost on the way: all is there as it would have been in the first place.
    let other = tempfile::tempdir().unwrap();
    let all = bars.store.series().await.unwrap();
    run(other.path(), &bars, &all).await;
    for path in files(other.path()).iter().filter(|path| path.ends_with(".parquet")) {
        assert_eq!(fs::read(folder.path().join(path)).unwrap(), fs::read(other.path().join(path)).unwrap(), "{path}");
    }
    // But for when the store was looked at.
    let [mut told, mut anew] = [manifest(folder.path()).await, manifest(other.path()).await];
    told.partitions.iter_mut().chain(&mut anew.partitions).for_each(|entry| entry.trace = None);
    assert_eq!(told, anew);
}

#[tokio::test]
async fn floats_are_stored_where_they_are_asked_for() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 10)).await;
    run(folder.path(), &bars, &[series("AAPL")]).await;
    let export = Export::new(Destination::folder(folder.path())).with_floats();
    assert_eq!(export.run(&bars.store, &[], TimeRange::ALWAYS).await.unwrap().written, 1);
    assert_eq!(manifest(folder.path()).await.format, Format::FLOATS);
}

#[tokio::test]
async fn series_that_differ_in_feed_or_adjustment_are_kept_apart() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    let raw = series("AAPL");
    let adjusted = Series { adjustment: "split,dividend".parse().unwrap(), ..raw.clone() };
    for series in [&raw, &adjusted] {
        bars.put(series, minutes("2024-03-08T14:30:00Z", 1)).await;
    }
    run(folder.path(), &bars, &[adjusted, raw]).await;
    let split = "feed=sip/adjustment=split%2Cdividend/timeframe=m1/symbol=AAPL/year=2024/bars.parquet";
    assert_eq!(files(folder.path()), ["_manifest.json", AAPL_2024, split]);
}

#[tokio::test]
async fn nothing_to_export_is_an_empty_manifest() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    assert_eq!(run(folder.path(), &bars, &[series("AAPL")]).await, Exported::default());
    assert_eq!(manifest(folder.path()).await.partitions, []);
}

#[tokio::test]
async fn a_manifest_that_is_none_is_refused_and_left() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 1)).await;
    run(folder.path(), &bars, &[series("AAPL")]).await;
    let path = folder.path().join("_manifest.json");
    let good = fs::read_to_string(&path).unwrap();
    let elsewhere = good.replace("symbol=AAPL/", "../../../");
    let newer = good.replace("\"version\": 1", "\"version\": 2");
    for bad in ["", "{}", "[1]", &elsewhere, &newer] {
        fs::write(&path, bad).unwrap();
        let export = Export::new(Destination::folder(folder.path()));
        let error = export.run(&bars.store, &[series("AAPL")], TimeRange::ALWAYS).await.unwrap_err();
        assert_eq!(error.code(), "INVALID_MANIFEST", "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
}
