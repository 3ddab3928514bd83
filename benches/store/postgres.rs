//! PostgreSQL with fsync on: the store beside raw COPY, staging, and raw rows.

use std::time::{Duration, Instant};

use barkeep_database::Postgres;
use barkeep_store::{PostgresStore, ProviderName, Store};
use barkeep_test_postgres::{Server, Stop, TestDatabase};
use barkeep_types::{Bar, TimeRange};
use sqlx::{Connection, PgConnection};

use crate::market::{self, PAGE};
use crate::raw;
use crate::report::{Cost, at_least, at_most, best, typical};

pub struct Size {
    pub series: usize,
    pub pages: usize,
    pub repetitions: usize,
}

/// Runs on a server of its own, which is gone afterwards.
pub async fn run(size: &Size) {
    let server = tokio::task::spawn_blocking(start).await.expect("a server starts");
    println!("\nPostgreSQL, fsync on, {} series of {} pages of {PAGE} bars", size.series, size.pages);
    let mut runs = Vec::new();
    for _ in 0..size.repetitions {
        runs.push(Run::measure(&server.url(), size).await);
    }
    report(&runs);
    two_connections(&server.url(), size).await;
    reads(&server.url(), size).await;
    tokio::task::spawn_blocking(move || drop(server)).await.expect("the server stops");
}

pub fn start() -> Server {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&server.url()).await.expect("the server answers");
        for setting in [
            "ALTER SYSTEM SET shared_buffers = '2GB'",
            "ALTER SYSTEM SET max_wal_size = '8GB'",
            "ALTER SYSTEM SET checkpoint_timeout = '1h'",
            "ALTER SYSTEM SET autovacuum = off",
        ] {
            sqlx::query(setting).execute(&mut connection).await.expect("a setting is known");
        }
    });
    server.stop(Stop::Fast);
    server.resume();
    server
}

/// One repetition of every path over the same bars.
struct Run {
    whole: Cost,
    copy: Cost,
    staging: Cost,
    fresh: Cost,
    compared: Cost,
    recognised: Cost,
    corrected: Cost,
    bytes_a_bar: f64,
}

impl Run {
    async fn measure(server: &str, size: &Size) -> Self {
        let database = TestDatabase::on(server).await;
        let store = open(database.url()).await;
        let mut watch = Watch::new(database.url()).await;
        let pages = pages(size);
        let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
        let range = market::range(0, size.pages);
        raw::create(&mut raw, "raw_copy", range).await;
        raw::create(&mut raw, "raw_staging", range).await;
        raw::create_whole(&mut raw, "raw_whole").await;

        // Page by page in turn, so that whatever disturbs the machine disturbs all alike.
        let [mut whole, mut copy, mut staging, mut fresh] = [const { Vec::new() }; 4];
        for (id, page, bars) in &pages {
            let commit = market::commit(*id as usize, *page, bars.clone());
            watch.start().await;
            raw::copy_page(&mut raw, "raw_whole", *id, bars).await;
            whole.push(watch.stop(PAGE).await);
            watch.start().await;
            raw::copy_page(&mut raw, "raw_copy", *id, bars).await;
            copy.push(watch.stop(PAGE).await);
            watch.start().await;
            raw::stage_page(&mut raw, "raw_staging", *id, bars).await;
            staging.push(watch.stop(PAGE).await);
            watch.start().await;
            store.commit(&commit).await.expect("a page is committed");
            fresh.push(watch.stop(PAGE).await);
        }
        let [whole, copy, staging, fresh] = [whole, copy, staging, fresh].map(|pages| typical(&pages));
        let bytes_a_bar = watch.bytes("barkeep.store_bar").await as f64 / (pages.len() * PAGE) as f64;
        let recognised = watch.commits(&store, &pages).await;
        watch.forget_digests().await;
        let compared = watch.commits(&store, &pages).await;
        let corrected = watch.commits(&store, &with_corrections(pages)).await;
        Self { whole, copy, staging, fresh, compared, recognised, corrected, bytes_a_bar }
    }
}

fn report(runs: &[Run]) {
    let of = |cost: fn(&Run) -> Cost| best(&runs.iter().map(cost).collect::<Vec<_>>());
    let (copy, staging, fresh) = (of(|run| run.copy), of(|run| run.staging), of(|run| run.fresh));
    let (compared, recognised) = (of(|run| run.compared), of(|run| run.recognised));
    let corrected = of(|run| run.corrected);
    let whole = of(|run| run.whole);
    whole.line("raw binary COPY into the keyed table in one piece");
    copy.line("raw binary COPY into the keyed table by years");
    staging.line("raw staging table and ON CONFLICT");
    fresh.line("commit: fresh pages");
    compared.line("commit: identical pages, compared");
    recognised.line("commit: identical pages, recognised by digest");
    corrected.line("commit: pages with 1 % corrected");
    let cpu = |cost: &Cost| cost.bars as f64 / cost.cpu.as_secs_f64();
    at_least("raw COPY by years beside one piece, server CPU", cpu(&copy) / cpu(&whole), 0.95);
    at_least("fresh beside raw COPY, wall", fresh.rate() / copy.rate(), 0.9);
    at_least("fresh beside raw COPY, server CPU", cpu(&fresh) / cpu(&copy), 0.9);
    at_least("fresh beside staging, wall", fresh.rate() / staging.rate(), 2.0);
    at_least("fresh beside staging, server CPU", cpu(&fresh) / cpu(&staging), 2.0);
    at_least("identical, compared, beside fresh", compared.rate() / fresh.rate(), 1.5);
    at_most("identical, compared: bytes of WAL a bar", compared.wal_a_bar(), 1.0);
    at_least("identical, recognised, beside fresh", recognised.rate() / fresh.rate(), 10.0);
    at_most("1 % corrected: bytes of WAL a bar", corrected.wal_a_bar(), 15.0);
    at_most("heap and index: bytes a bar", runs[0].bytes_a_bar, 133.0);
}

/// Two writers at once, beside one.
async fn two_connections(server: &str, size: &Size) {
    let database = TestDatabase::on(server).await;
    let store = open(database.url()).await;
    let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
    raw::create(&mut raw, "raw_copy", market::range(0, size.pages)).await;
    let pages = pages(size);
    let (left, right) = pages.split_at(pages.len() / 2);

    let mut copies = [raw, PgConnection::connect(database.url()).await.expect("the server answers")];
    let [first, second] = &mut copies;
    let started = Instant::now();
    tokio::join!(copy_all(first, left), copy_all(second, right));
    let raw_wall = started.elapsed();

    let started = Instant::now();
    tokio::join!(commit_all(&store, left), commit_all(&store, right));
    at_least(
        "fresh over two connections beside raw COPY over two",
        raw_wall.as_secs_f64() / started.elapsed().as_secs_f64(),
        0.9,
    );
}

async fn copy_all(connection: &mut PgConnection, pages: &[(i32, usize, Vec<Bar>)]) {
    for (id, _, bars) in pages {
        raw::copy_page(connection, "raw_copy", *id, bars).await;
    }
}

async fn commit_all(store: &PostgresStore, pages: &[(i32, usize, Vec<Bar>)]) {
    for (id, page, bars) in pages {
        let commit = market::commit(*id as usize, *page, bars.clone());
        store.commit(&commit).await.expect("a page is committed");
    }
}

async fn reads(server: &str, size: &Size) {
    const ROUNDS: usize = 7;
    let database = TestDatabase::on(server).await;
    let store = open(database.url()).await;
    commit_all(&store, &pages(size)).await;
    let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut raw).await.expect("statistics are taken");

    let all = market::range(0, size.pages);
    let (mut plain, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let rows = raw::rows(&mut raw, all).await;
        plain = plain.min(started.elapsed());
        let started = Instant::now();
        let bars = store.bars(&market::series(1), all, usize::MAX).await.expect("bars are read");
        ours = ours.min(started.elapsed());
        assert_eq!(rows, bars);
    }
    at_least(
        &format!("range of {} bars beside raw rows", size.pages * PAGE),
        plain.as_secs_f64() / ours.as_secs_f64(),
        0.9,
    );

    let asked: Vec<_> = (1..=500).map(market::series).collect();
    let known = asked.len().min(size.series);
    let latest = best_of(ROUNDS, async || {
        let latest = store.latest(&asked).await.expect("latest bars are read");
        assert_eq!(latest.iter().flatten().count(), known);
    });
    at_most(&format!("latest bar of {known} series (500 asked), ms"), ms(latest.await), 10.0);
    let coverage = best_of(ROUNDS, async || {
        let coverage = store.coverage(&asked, TimeRange::ALWAYS).await.expect("coverage is read");
        assert_eq!(coverage.iter().flatten().count(), known);
    })
    .await;
    let started = Instant::now();
    raw::scan_index(&mut raw).await;
    let scan = started.elapsed();
    at_least("coverage beside an index scan of the bars", scan.as_secs_f64() / coverage.as_secs_f64(), 100.0);
    let many: Vec<_> = (1..=20_000).map(market::series).collect();
    let started = Instant::now();
    store.coverage(&many, TimeRange::ALWAYS).await.expect("coverage is read");
    println!("  coverage of 20,000 series, one round trip: {:.0} ms", ms(started.elapsed()));
    println!("  buffers touched for {PAGE} bars of one series: {}", raw::buffers(&mut raw, market::range(0, 1)).await);
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

/// Series, page of the series, bars: as a backfill brings them, series by series.
fn pages(size: &Size) -> Vec<(i32, usize, Vec<Bar>)> {
    let numbers = (1..=size.series).flat_map(|series| (0..size.pages).map(move |page| (series, page)));
    numbers.map(|(series, page)| (series as i32, page, market::bars(series, page))).collect()
}

fn with_corrections(mut pages: Vec<(i32, usize, Vec<Bar>)>) -> Vec<(i32, usize, Vec<Bar>)> {
    for (_, _, bars) in &mut pages {
        for bar in bars.iter_mut().step_by(100) {
            bar.volume += 1.0;
        }
    }
    pages
}

/// Looks at the server while it works.
pub struct Watch {
    connection: PgConnection,
    started: Instant,
    cpu: Duration,
    wal: i64,
}

impl Watch {
    pub async fn new(url: &str) -> Self {
        let connection = PgConnection::connect(url).await.expect("the server answers");
        Self { connection, started: Instant::now(), cpu: Duration::ZERO, wal: 0 }
    }

    pub async fn start(&mut self) {
        self.cpu = self.cpu().await;
        self.wal = self.wal().await;
        self.started = Instant::now();
    }

    pub async fn stop(&mut self, bars: usize) -> Cost {
        let wall = self.started.elapsed();
        let wal = self.wal().await.saturating_sub(self.wal).unsigned_abs();
        Cost { bars, wall, cpu: self.cpu().await.saturating_sub(self.cpu), wal }
    }

    async fn commits(&mut self, store: &PostgresStore, pages: &[(i32, usize, Vec<Bar>)]) -> Cost {
        let mut costs = Vec::with_capacity(pages.len());
        for (id, page, bars) in pages {
            let commit = market::commit(*id as usize, *page, bars.clone());
            self.start().await;
            store.commit(&commit).await.expect("a page is committed");
            costs.push(self.stop(PAGE).await);
        }
        typical(&costs)
    }

    /// What the backends of this database have spent so far.
    async fn cpu(&mut self) -> Duration {
        let pids: Vec<i32> = sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            .fetch_all(&mut self.connection)
            .await
            .expect("the server lists its sessions");
        pids.into_iter().map(raw::cpu_of).sum()
    }

    async fn wal(&mut self) -> i64 {
        sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8")
            .fetch_one(&mut self.connection)
            .await
            .expect("the server knows its log")
    }

    pub async fn bytes(&mut self, table: &str) -> i64 {
        sqlx::query_scalar("SELECT sum(pg_total_relation_size(relid))::int8 FROM pg_partition_tree($1::regclass)")
            .bind(table)
            .fetch_one(&mut self.connection)
            .await
            .expect("the table has a size")
    }

    async fn forget_digests(&mut self) {
        sqlx::query("UPDATE barkeep.store_batch SET digest = NULL")
            .execute(&mut self.connection)
            .await
            .expect("digests are forgotten");
    }
}
