//! Reads beside raw rows, and coverage beside what it would cost without a ledger.

use std::time::{Duration, Instant};

use barkeep_database::{Postgres, PostgresSettings};
use barkeep_store::{PostgresStore, ProviderName, Store};
use barkeep_test_postgres::TestDatabase;
use barkeep_types::TimeRange;
use sqlx::{Connection, PgConnection};

use crate::market::{self, PAGE};
use crate::postgres::Size;
use crate::raw;
use crate::report::{at_least, at_most, figure};

const ROUNDS: usize = 7;
/// Series that are asked for at once.
const MANY: usize = 500;

pub async fn run(server: &str, size: &Size) {
    let database = TestDatabase::on(server).await;
    let store = open(database.url()).await;
    // One series long enough for a range, and so many that a latest bar has to be looked for in as many places: 5,000,000
    // bars and more, where it is measured.
    for page in 0..size.pages {
        commit(&store, 1, page, PAGE).await;
    }
    let others = if benches::is_measuring() { PAGE } else { PAGE / 100 };
    for number in 2..=MANY {
        commit(&store, number, 0, others).await;
    }
    let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut raw).await.expect("statistics are taken");
    range(&store, &mut raw, size).await;
    many_series(&store, &mut raw).await;
    round_trips(database.url()).await;
    buffers(&mut raw).await;
}

async fn commit(store: &PostgresStore, number: usize, page: usize, bars: usize) {
    let bars = market::bars(number, page)[..bars].to_vec();
    store.commit(&market::commit(number, page, bars)).await.expect("a page is committed");
}

async fn range(store: &PostgresStore, raw: &mut PgConnection, size: &Size) {
    let all = market::range(0, size.pages);
    let (mut plain, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let rows = raw::rows(raw, all).await;
        plain = plain.min(started.elapsed());
        let started = Instant::now();
        let bars = store.bars(&market::series(1), all, usize::MAX).await.expect("bars are read");
        ours = ours.min(started.elapsed());
        assert_eq!(rows, bars);
    }
    println!("  a range is {} bars", size.pages * PAGE);
    at_least("postgres/range_beside_raw_rows", plain.as_secs_f64() / ours.as_secs_f64(), 0.9);
}

async fn many_series(store: &PostgresStore, raw: &mut PgConnection) {
    let asked: Vec<_> = (1..=MANY).map(market::series).collect();
    let latest = best_of(ROUNDS, async || {
        let latest = store.latest(&asked).await.expect("latest bars are read");
        assert_eq!(latest.iter().flatten().count(), MANY);
    });
    at_most("postgres/latest_of_500_series_ms", ms(latest.await), 10.0);
    let coverage = best_of(ROUNDS, async || {
        let coverage = store.coverage(&asked, TimeRange::ALWAYS).await.expect("coverage is read");
        assert_eq!(coverage.iter().flatten().count(), MANY);
    })
    .await;
    let started = Instant::now();
    let scanned = raw::scan_index(raw).await;
    let scan = started.elapsed();
    assert_eq!(scanned, MANY);
    figure("postgres/coverage_of_500_series_ms", ms(coverage));
    at_least("postgres/coverage_beside_index_scan", scan.as_secs_f64() / coverage.as_secs_f64(), 100.0);
}

/// Statements are counted by the server, in the one session that there is.
async fn round_trips(url: &str) {
    let url = url.parse().expect("a URL");
    let database =
        Postgres::connect_with(PostgresSettings::new(url).with_connections(1)).await.expect("the server answers");
    let store = PostgresStore::open(&database, ProviderName::ALPACA).await.expect("tables are there");
    let asked: Vec<_> = (1..=20_000).map(market::series).collect();
    store.coverage(&asked[..1], TimeRange::ALWAYS).await.expect("the statement is prepared");
    let before = raw::executions(&database).await;
    let started = Instant::now();
    let coverage = store.coverage(&asked, TimeRange::ALWAYS).await.expect("coverage is read");
    let took = started.elapsed();
    assert_eq!(coverage.iter().flatten().count(), MANY);
    let trips = raw::executions(&database).await - before - 1;
    figure("postgres/coverage_of_20000_series_ms", ms(took));
    at_most("postgres/coverage_of_20000_series_round_trips", trips as f64, 1.0);
}

/// Bars that came series by series, beside the same that came minute by minute.
async fn buffers(raw: &mut PgConnection) {
    let one = market::range(0, 1);
    let id = raw::first_series(raw).await;
    let ours = raw::buffers(raw, "barkeep.store_bar", id, one).await;
    let minutes = if benches::is_measuring() { PAGE } else { PAGE / 100 };
    raw::create_by_minute(raw, "raw_by_minute", minutes).await;
    let scattered = raw::buffers(raw, "raw_by_minute", 1, one).await;
    at_most("postgres/buffers_for_10000_bars", ours as f64, 176.0);
    figure("postgres/buffers_for_10000_bars_minute_by_minute", scattered as f64 * (PAGE / minutes) as f64);
}

pub async fn best_of(rounds: usize, verb: impl AsyncFn()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let started = Instant::now();
        verb().await;
        best = best.min(started.elapsed());
    }
    best
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub async fn open(url: &str) -> PostgresStore {
    let database = Postgres::connect(url).await.expect("the server answers");
    PostgresStore::open(&database, ProviderName::ALPACA).await.expect("tables are made")
}
