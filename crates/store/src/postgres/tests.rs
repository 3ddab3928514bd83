use std::time::Duration;

use barkeep_database::PostgresSettings;
use barkeep_test_postgres::TestDatabase;
use barkeep_types::{Adjustment, Bar, Feed, TimeRange, Timeframe};
use tokio::task::JoinHandle;

use super::*;
use crate::{Commit, Committed, Finding, History, State, Store, Upkeep, Withdrawal};

mod conflicts;
#[cfg(target_os = "linux")]
mod disk;
mod guard;
mod pooled;
mod statements;
mod straight;
mod years;

/// As it is when new: there is room for this year and the next.
async fn open_new() -> (PostgresStore, TestDatabase) {
    let server = TestDatabase::create().await;
    let database = Postgres::connect(server.url()).await.unwrap();
    (PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap(), server)
}

/// With room for the bars of these tests: who finds none begins anew, and the first series is not number 1.
async fn open() -> (PostgresStore, TestDatabase) {
    let (store, server) = open_new().await;
    room::make(&store.database, &[1970, 2020]).await.unwrap();
    (store, server)
}

crate::store_conformance!(open_new().await);
crate::history_conformance!(open_new().await, now);
crate::upkeep_conformance!(open_new().await);

/// Counted in microseconds: no two commits see the same.
async fn now(store: &PostgresStore) -> DateTime<chrono::Utc> {
    let mut connection = store.database.connection().await.unwrap();
    let now = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    now
}

fn series() -> Series {
    Series { symbol: "AAPL".parse().unwrap(), timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW }
}

fn page(minutes: i64) -> Commit {
    page_of(&[series()], minutes)
}

fn page_of(series: &[Series], minutes: i64) -> Commit {
    let at = |minute: i64| DateTime::from_timestamp(60 * minute, 0).unwrap();
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
    series.iter().fold(Commit::new(range), |page, series| {
        page.with_bars(series.clone(), (0..minutes).map(bar).collect()).with_proof(
            series.clone(),
            range,
            State::Covered,
        )
    })
}

async fn run(store: &PostgresStore, sql: &'static str) -> Result<()> {
    let mut transaction = store.database.begin().await?;
    sqlx::raw_sql(sql).execute(&mut *transaction).await.map_err(failed)?;
    Ok(transaction.commit().await?)
}

async fn number(store: &PostgresStore, sql: &'static str) -> i64 {
    let mut connection = store.database.connection().await.unwrap();
    let number = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    number
}

/// How many connections to this database wait for another one's transaction.
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Until a page waits for another one's transaction.
async fn until_it_waits(store: &PostgresStore, committing: &JoinHandle<Result<Committed>>) {
    while number(store, WAITING).await == 0 {
        assert!(!committing.is_finished(), "the page is not in the way of anybody");
        tokio::task::yield_now().await;
    }
}

/// Of every row of every table: who wrote it, and where it is.
async fn versions(store: &PostgresStore) -> String {
    let mut connection = store.database.connection().await.unwrap();
    let versions = sqlx::query_scalar(
        "SELECT coalesce(string_agg(version, ' ' ORDER BY version), '') FROM (
            SELECT 'series ' || ctid || xmin FROM barkeep.store_series
            UNION ALL SELECT 'bar ' || tableoid || ctid || xmin FROM barkeep.store_bar
            UNION ALL SELECT 'coverage ' || ctid || xmin FROM barkeep.store_coverage
            UNION ALL SELECT 'batch ' || ctid || xmin FROM barkeep.store_batch
            UNION ALL SELECT 'quarantine ' || ctid || xmin FROM barkeep.store_quarantine
        ) AS row (version)",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    connection.finish().await.unwrap();
    versions
}

#[tokio::test]
async fn a_page_committed_again_makes_no_row_version() {
    let (store, _server) = open().await;
    let mut spoiled = page(50);
    spoiled.bars[0].1[7].open = f64::NAN;
    store.commit(&spoiled).await.unwrap();
    let before = versions(&store).await;
    // By its digest; and, once that is gone, by comparing.
    store.commit(&spoiled).await.unwrap();
    assert_eq!(versions(&store).await, before);
    run(&store, "UPDATE barkeep.store_batch SET digest = NULL").await.unwrap();
    let before = versions(&store).await;
    assert_eq!(store.commit(&spoiled).await.unwrap().unchanged, 49);
    assert_eq!(versions(&store).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bar_inserted_meanwhile_by_one_who_takes_no_locks_is_compared_anew() {
    let (store, _server) = open().await;
    store.commit(&page(1)).await.unwrap();
    let mut stranger = store.database.begin().await.unwrap();
    sqlx::raw_sql("INSERT INTO barkeep.store_bar VALUES ('1970-01-01T00:05:00Z', 1, 1, 1, 1, 7, NULL, NULL, 1, 1)")
        .execute(&mut *stranger)
        .await
        .unwrap();
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(&page(10)).await }
    });
    until_it_waits(&store, &committing).await;
    stranger.commit().await.unwrap();
    let committed = committing.await.unwrap().unwrap();
    assert_eq!((committed.inserted, committed.revised, committed.unchanged), (8, 1, 1));
    assert_eq!(store.bars(&series(), page(10).asked, usize::MAX).await.unwrap(), page(10).bars[0].1);
    let spans = &store.coverage(&[series()], TimeRange::ALWAYS).await.unwrap()[0];
    assert_eq!((spans.len(), spans[0].range, spans[0].rows), (1, page(10).asked, 10));
}

#[tokio::test]
async fn the_tables_themselves_refuse_impossible_bars() {
    let (store, _server) = open().await;
    let possible = "INSERT INTO barkeep.store_bar VALUES ('1970-01-01T00:05:00Z', 1, 2, 1, 1, 7, NULL, NULL, 1, 1)";
    run(&store, possible).await.unwrap();
    for impossible in [
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 'NaN', 2, 1, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 'NaN', 1, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 'NaN', 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 1, 'NaN', 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 1, 1, 'NaN', 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 1, 1, 7, 'NaN', 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 'NaN', 'NaN', 'NaN', 'NaN', 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 'infinity', 1, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, '-infinity', 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 0, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 9, 2, 1, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 1, 9, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 1, 1, 9007199254740992, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2020-01-01Z', 1, 2, 1, 1, 7, 1, -1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('1969-12-31T23:59:00Z', 1, 2, 1, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('2100-01-01Z', 1, 2, 1, 1, 7, 1, 1, 1, 1)",
        "INSERT INTO barkeep.store_bar VALUES ('infinity', 1, 2, 1, 1, 7, 1, 1, 1, 1)",
    ] {
        let error = run(&store, impossible).await.unwrap_err();
        assert_eq!(error.code(), "CONSTRAINT_VIOLATED", "{impossible}");
    }
}

#[tokio::test]
async fn a_page_of_very_many_series_takes_few_locks() {
    let (store, _server) = open().await;
    let range = page(1).asked;
    let many = (0..3_000).fold(Commit::new(range), |commit, number| {
        let series = Series { symbol: format!("S{number}").parse().unwrap(), ..series() };
        commit.with_bars(series.clone(), page(1).bars[0].1.clone()).with_proof(series, range, State::Covered)
    });
    assert_eq!(store.commit(&many).await.unwrap().inserted, 3_000);
    let mut transaction = store.database.begin().await.unwrap();
    let locks: i64 = sqlx::query_scalar(
        "WITH locked AS MATERIALIZED (SELECT barkeep.store_lock(array_agg(series_id ORDER BY series_id)) FROM barkeep.store_series)
         SELECT count(pg_locks.*) FROM locked, pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(locks, 1);
}

#[tokio::test]
async fn a_bar_takes_no_more_than_133_bytes() {
    let (store, _server) = open().await;
    let mut full = page(50_000);
    for bar in &mut full.bars[0].1 {
        (bar.vwap, bar.trade_count) = (Some(1.375), Some(12));
    }
    store.commit(&full).await.unwrap();
    let bytes =
        number(&store, "SELECT pg_table_size('barkeep.store_bar_1970') + pg_indexes_size('barkeep.store_bar_1970')")
            .await;
    assert!(bytes / 50_000 <= 133, "{} bytes a bar", bytes as f64 / 50_000.0);
}

#[tokio::test]
async fn another_schema_holds_another_store() {
    let server = TestDatabase::create().await;
    let settings =
        |schema: &str| PostgresSettings::new(server.url().parse().unwrap()).with_schema(schema.parse().unwrap());
    let (one, two) = (settings("one"), settings("two"));
    let one = Postgres::connect_with(one).await.unwrap();
    let two = Postgres::connect_with(two).await.unwrap();
    let one = PostgresStore::open(&one, ProviderName::ALPACA).await.unwrap();
    let two = PostgresStore::open(&two, ProviderName::ALPACA).await.unwrap();
    assert_eq!(one.commit(&page(9)).await.unwrap().inserted, 9);
    assert_eq!(two.series().await.unwrap(), []);
    assert_eq!(two.commit(&page(9)).await.unwrap().inserted, 9);
    let gone = Withdrawal { start: page(1).asked.start(), reason: "not its own".into() };
    assert_eq!(one.withdraw(&series(), &[gone]).await.unwrap(), 1);
    for (store, bars) in [(&one, 8), (&two, 9)] {
        assert_eq!(store.summaries(&[series()]).await.unwrap()[0].bars, bars);
        assert_eq!(store.bars(&series(), TimeRange::ALWAYS, 10).await.unwrap().len() as u64, bars);
        assert_eq!(store.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_other_hands_did_is_found_and_explained() {
    let (store, _server) = open().await;
    store.commit(&page(10)).await.unwrap();
    for edit in [
        "DELETE FROM barkeep.store_bar WHERE starts_at = '1970-01-01T00:02:00Z'",
        "INSERT INTO barkeep.store_bar VALUES ('1970-01-01T01:40:00Z', 1, 1, 1, 1, 5, NULL, NULL, 1, 77)",
        "INSERT INTO barkeep.store_coverage
            VALUES (1, '1970-01-01T00:05:00Z', '1970-01-01T00:15:00Z', 'covered', 5, 0, now())",
        "INSERT INTO barkeep.store_coverage
            VALUES (9, '1970-01-01T00:05:00Z', '1970-01-01T00:15:00Z', 'covered', 0, 1, now())",
    ] {
        run(&store, edit).await.unwrap();
    }
    let findings = store.check().await.unwrap();
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let range = |start, end| TimeRange::new(at(start), at(end)).unwrap();
    let expected = [
        Finding::Orphaned { id: 9, bars: 0, spans: 1 },
        Finding::Overlapping { series: series(), range: range(300, 900) },
        Finding::RowsDiffer { series: series(), range: range(0, 600), ledger: 10, stored: 9 },
        Finding::Uncovered { series: series(), bars: 1, first: at(6000), last: at(6000) },
        Finding::UnknownOrigin { series: series(), bars: 1 },
    ];
    assert_eq!(findings.len(), 5, "{findings:?}");
    for finding in &expected {
        assert!(findings.contains(finding), "{finding} is not in {findings:?}");
    }
}

#[tokio::test]
async fn the_views_show_what_is_stored() {
    let (store, _server) = open().await;
    let mut spoiled = page(3);
    spoiled.bars[0].1[1].high = f64::NAN;
    store.commit(&spoiled).await.unwrap();
    let bars = "SELECT count(*) FROM barkeep.bars_v1
        WHERE provider = 'alpaca' AND symbol = 'AAPL' AND timeframe = 'm1' AND feed = 'sip' AND adjustment = 'raw'
            AND starts_at < '1970-01-01T00:03:00Z' AND close = 1.25 AND fetched_at IS NOT NULL";
    assert_eq!(number(&store, bars).await, 2);
    assert_eq!(number(&store, "SELECT count(*) FROM barkeep.coverage_v1 WHERE state = 'suspect'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM barkeep.quarantine_v1 WHERE reasons LIKE '%not finite%'").await, 1);
}

#[tokio::test]
async fn former_values_are_not_written_unless_they_are_asked_for() {
    let (store, _server) = open().await;
    store.commit(&page(10)).await.unwrap();
    let mut corrected = page(10);
    corrected.bars[0].1[4].close = 1.5;
    assert_eq!(store.commit(&corrected).await.unwrap().revised, 1);
    assert_eq!(number(&store, "SELECT pg_relation_size('barkeep.store_former_bar')").await, 0);
    store.keep_history().await.unwrap();
    assert_eq!(store.commit(&page(10)).await.unwrap().revised, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM barkeep.store_former_bar WHERE close = 1.5").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_million_bars_is_stored_whole() {
    const MANY: i64 = 1_000_000;
    let server = TestDatabase::create().await;
    // Not a test of how fast this machine is just now.
    let settings = PostgresSettings::new(server.url().parse().unwrap()).with_timeout(Duration::from_secs(600));
    let database = Postgres::connect_with(settings).await.unwrap();
    let store = PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap();
    let page = page(MANY);
    assert_eq!(store.commit(&page).await.unwrap().inserted, MANY.cast_unsigned());
    assert_eq!(store.commit(&page).await.unwrap().unchanged, MANY.cast_unsigned());
    let spans = &store.coverage(&[series()], TimeRange::ALWAYS).await.unwrap()[0];
    assert_eq!((spans.len(), spans[0].range, spans[0].rows), (1, page.asked, MANY.cast_unsigned()));
    assert_eq!(store.latest(&[series()]).await.unwrap(), [page.bars[0].1.last().copied()]);
}
