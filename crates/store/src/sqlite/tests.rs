use std::time::Duration;

use barkeep_database::SqliteSettings;
use barkeep_types::{Adjustment, Bar, Feed, TimeRange, Timeframe};
use tempfile::TempDir;

use super::*;
use crate::{Commit, Finding, History, Store, Upkeep};

mod guard;

async fn open() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::open(folder.path().join("bars.db")).await.unwrap();
    (SqliteStore::open(&database, ProviderName::ALPACA).await.unwrap(), folder)
}

crate::store_conformance!(open().await);
crate::history_conformance!(open().await, now);
crate::upkeep_conformance!(open().await);

/// Counted in milliseconds: waits for one that no commit before it saw, and for its end.
async fn now(store: &SqliteStore) -> DateTime<chrono::Utc> {
    let tick = async || {
        let mut connection = store.database.connection().await.unwrap();
        let tick: i64 = sqlx::query_scalar("SELECT CAST(1000 * unixepoch('subsec') AS INTEGER)")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        connection.finish().await.unwrap();
        tick
    };
    let after = async |earlier| {
        loop {
            let now = tick().await;
            if now > earlier {
                return now;
            }
        }
    };
    let now = after(tick().await).await;
    after(now).await;
    DateTime::from_timestamp_millis(now).unwrap()
}

fn page(minutes: i64) -> Commit {
    let at = |minute: i64| DateTime::from_timestamp(60 * minute, 0).unwrap();
    let series = Series {
        symbol: "AAPL".parse().unwrap(),
        timeframe: Timeframe::M1,
        feed: Feed::SIP,
        adjustment: Adjustment::RAW,
    };
    let bar = |minute| Bar {
        start: at(minute),
        open: 1.5,
        high: 2.0,
        low: 1.0,
        close: 1.25,
        volume: 10.0,
        vwap: None,
        trade_count: None,
    };
    let range = TimeRange::new(at(0), at(minutes)).unwrap();
    Commit::new(range).with_bars(series.clone(), (0..minutes).map(bar).collect()).with_proof(
        series,
        range,
        crate::State::Covered,
    )
}

/// Runs a statement on the writing connection, and keeps what it did.
async fn run(store: &SqliteStore, sql: &'static str) -> Result<()> {
    let mut transaction = store.database.begin().await?;
    sqlx::raw_sql(sql).execute(&mut *transaction).await.map_err(failed)?;
    Ok(transaction.commit().await?)
}

#[tokio::test]
async fn a_disk_that_is_full_takes_nothing_of_a_page() {
    let (store, _folder) = open().await;
    store.commit(&page(10)).await.unwrap();
    run(&store, "PRAGMA max_page_count = 30").await.unwrap();
    let error = store.commit(&page(50_000)).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("STORAGE_FULL", false), "{error:?}");
    let page_of_ten = page(10);
    let (series, range) = (&page_of_ten.proofs[0].series, page(50_000).asked);
    assert_eq!(store.bars(series, range, usize::MAX).await.unwrap(), page_of_ten.bars[0].1);
    assert_eq!(
        store.coverage(std::slice::from_ref(series), TimeRange::ALWAYS).await.unwrap()[0][0].range,
        page_of_ten.asked
    );
    assert_eq!(store.commit(&page(50_000)).await.unwrap().inserted, 49_990);
}

#[tokio::test]
async fn the_tables_themselves_refuse_impossible_bars() {
    let (store, _folder) = open().await;
    run(&store, "INSERT INTO store_bar VALUES (1, 60, 1, 2, 1, 1, 5, 1, 1, 1)").await.unwrap();
    for impossible in [
        "INSERT INTO store_bar VALUES (1, 120, 9, 2, 1, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, 1, 3, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 9e999, 1, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, 0, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, -1, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 9e999 - 9e999, 2, 1, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, 1, 1, -1, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, 1, 1, 9e999, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, 1, 1, 5, 0, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 1, 2, 1, 1, 5, 1, -1, 1)",
        "INSERT INTO store_bar VALUES (1, -60, 1, 2, 1, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 4102444800, 1, 2, 1, 1, 5, 1, 1, 1)",
        "INSERT INTO store_bar VALUES (1, 120, 'a', 2, 1, 1, 5, 1, 1, 1)",
    ] {
        let error = run(&store, impossible).await.unwrap_err();
        assert_eq!(error.code(), "CONSTRAINT_VIOLATED", "{impossible}");
    }
}

#[tokio::test]
async fn tables_changed_by_other_hands_are_an_error_and_no_panic() {
    let (store, _folder) = open().await;
    store.commit(&page(3)).await.unwrap();
    run(&store, "UPDATE store_series SET symbol = '=cmd()'").await.unwrap();
    assert_eq!(store.series().await.unwrap_err().code(), "CORRUPT_DATA");
}

#[tokio::test]
async fn two_providers_in_one_file_do_not_see_each_other() {
    let (store, _folder) = open().await;
    let other = SqliteStore::open(&store.database, "other".parse().unwrap()).await.unwrap();
    store.commit(&page(3)).await.unwrap();
    assert_eq!(other.series().await.unwrap(), []);
    assert_eq!(other.commit(&page(3)).await.unwrap().inserted, 3);
    assert_eq!(store.retain(DateTime::from_timestamp(120, 0).unwrap()).await.unwrap().bars, 2);
    let series = &page(3).proofs[0].series;
    assert_eq!(store.bars(series, page(3).asked, usize::MAX).await.unwrap().len(), 1);
    assert_eq!(other.bars(series, page(3).asked, usize::MAX).await.unwrap().len(), 3);
    assert_eq!(other.commit(&page(3)).await.unwrap().unchanged, 3);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let (store, _folder) = open().await;
    run(&store, "INSERT INTO database_migration (component, version) VALUES ('store', 99)").await.unwrap();
    let error = SqliteStore::open(&store.database, ProviderName::ALPACA).await.unwrap_err();
    assert_eq!(error.code(), "NEWER_SCHEMA");
}

#[tokio::test]
async fn what_other_hands_did_is_found_and_explained() {
    let (store, _folder) = open().await;
    store.commit(&page(10)).await.unwrap();
    run(&store, "DELETE FROM store_bar WHERE starts_at = 120").await.unwrap();
    run(&store, "INSERT INTO store_bar VALUES (1, 6000, 1, 1, 1, 1, 5, NULL, NULL, 77)").await.unwrap();
    run(&store, "INSERT INTO store_coverage VALUES (1, 300, 900, 'covered', 5, 0, 1)").await.unwrap();
    run(&store, "INSERT INTO store_coverage VALUES (9, 300, 900, 'covered', 0, 1, 1)").await.unwrap();
    let findings = store.check().await.unwrap();
    let series = page(1).proofs[0].series.clone();
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let range = |start, end| TimeRange::new(at(start), at(end)).unwrap();
    let expected = [
        Finding::Orphaned { id: 9, bars: 0, spans: 1 },
        Finding::Overlapping { series: series.clone(), range: range(300, 900) },
        Finding::RowsDiffer { series: series.clone(), range: range(0, 600), ledger: 10, stored: 9 },
        Finding::Uncovered { series: series.clone(), bars: 1, first: at(6000), last: at(6000) },
        Finding::UnknownOrigin { series, bars: 1 },
    ];
    assert_eq!(findings.len(), 5, "{findings:?}");
    for finding in &expected {
        assert!(findings.contains(finding), "{finding} is not in {findings:?}");
        assert_eq!(finding.is_harmless(), matches!(finding, Finding::Uncovered { .. }));
        assert!(finding.to_string().contains("other hands"), "{finding}");
    }
}

#[tokio::test]
async fn the_views_show_what_is_stored() {
    let (store, _folder) = open().await;
    let mut spoiled = page(3);
    spoiled.bars[0].1[1].high = f64::NAN;
    store.commit(&spoiled).await.unwrap();
    let mut connection = store.database.connection().await.unwrap();
    let bars: Vec<(String, f64)> = sqlx::query_as(
        "SELECT starts_at, close FROM bars_v1
         WHERE provider = 'alpaca' AND symbol = 'AAPL' AND timeframe = 'm1' AND feed = 'sip' AND adjustment = 'raw'
            AND starts_at_unix < 180 AND fetched_at IS NOT NULL
         ORDER BY starts_at",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert_eq!(bars, [("1970-01-01T00:00:00Z".into(), 1.25), ("1970-01-01T00:02:00Z".into(), 1.25)]);
    let states: Vec<(String, i64)> = sqlx::query_as("SELECT state, rows FROM coverage_v1 ORDER BY starts_at")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    assert_eq!(states, [("covered".into(), 1), ("suspect".into(), 0), ("covered".into(), 1)]);
    let refused: String =
        sqlx::query_scalar("SELECT reasons FROM quarantine_v1").fetch_one(&mut *connection).await.unwrap();
    assert!(refused.contains("not finite"), "{refused}");
}

#[tokio::test]
async fn former_values_are_not_written_unless_they_are_asked_for() {
    let (store, _folder) = open().await;
    store.commit(&page(10)).await.unwrap();
    let mut corrected = page(10);
    corrected.bars[0].1[4].close = 1.5;
    let former = async || {
        let mut connection = store.database.connection().await.unwrap();
        let closes: Vec<f64> =
            sqlx::query_scalar("SELECT close FROM store_former_bar").fetch_all(&mut *connection).await.unwrap();
        connection.finish().await.unwrap();
        closes
    };
    assert_eq!(store.commit(&corrected).await.unwrap().revised, 1);
    assert!(former().await.is_empty());
    store.keep_history().await.unwrap();
    assert_eq!(store.commit(&page(10)).await.unwrap().revised, 1);
    assert_eq!(former().await, [1.5]);
}

#[tokio::test]
async fn a_page_of_a_million_bars_is_stored_whole() {
    const MANY: i64 = 1_000_000;
    let folder = tempfile::tempdir().unwrap();
    // Not a test of how fast this machine is just now.
    let settings = SqliteSettings::new(folder.path().join("bars.db")).with_timeout(Duration::from_secs(600));
    let database = Sqlite::open_with(settings).await.unwrap();
    let store = SqliteStore::open(&database, ProviderName::ALPACA).await.unwrap();
    let page = page(MANY);
    assert_eq!(store.commit(&page).await.unwrap().inserted, MANY.cast_unsigned());
    assert_eq!(store.commit(&page).await.unwrap().unchanged, MANY.cast_unsigned());
    let series = [page.proofs[0].series.clone()];
    let spans = &store.coverage(&series, TimeRange::ALWAYS).await.unwrap()[0];
    assert_eq!((spans.len(), spans[0].range, spans[0].rows), (1, page.asked, MANY.cast_unsigned()));
    assert_eq!(store.latest(&series).await.unwrap(), [page.bars[0].1.last().copied()]);
}
