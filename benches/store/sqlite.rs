//! SQLite on a disk: the store beside the best raw multi-row insert into the same key.

use std::time::{Duration, Instant};

use barkeep_database::Sqlite;
use barkeep_store::{ProviderName, SqliteStore, Store};
use barkeep_types::Bar;
use sqlx::AssertSqlSafe;

use crate::market::{self, PAGE};
use crate::report::{Cost, at_least, at_most, best, figure, typical};
use crate::server;

/// Rows a statement, of which a page is a multiple: the limit is whichever is fastest.
const ROWS: [usize; 4] = [100, 500, 1_000, 2_500];

pub async fn run(pages: usize, repetitions: usize) {
    println!("\nSQLite, WAL, {}", server::disk(&std::env::temp_dir()));
    println!("{pages} pages of {PAGE} bars, {repetitions} times");
    let mut runs: Vec<Run> = Vec::new();
    for _ in 0..repetitions {
        runs.push(Run::measure(pages).await);
    }
    let of = |cost: &dyn Fn(&Run) -> Cost| best(&runs.iter().map(cost).collect::<Vec<_>>());
    let raws: Vec<Cost> = (0..ROWS.len()).map(|index| of(&|run| run.raws[index])).collect();
    for (rows, raw) in ROWS.iter().zip(&raws) {
        raw.line(&format!("raw prepared INSERT of {rows} rows"));
    }
    let [fresh, compared, recognised] = [of(&|run| run.fresh), of(&|run| run.compared), of(&|run| run.recognised)];
    fresh.line("commit: fresh pages");
    compared.line("commit: identical pages, compared");
    recognised.line("commit: identical pages, recognised by digest");
    at_least("sqlite/fresh_beside_best_raw_insert", fresh.rate() / best(&raws).rate(), 0.9);
    figure("sqlite/identical_compared_beside_fresh", compared.rate() / fresh.rate());
    at_least("sqlite/identical_recognised_beside_fresh", recognised.rate() / fresh.rate(), 10.0);
    at_most("sqlite/bytes_a_bar", runs[0].bytes_a_bar, 77.0);
}

struct Run {
    /// For each of [`ROWS`].
    raws: Vec<Cost>,
    fresh: Cost,
    recognised: Cost,
    compared: Cost,
    bytes_a_bar: f64,
}

impl Run {
    async fn measure(pages: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Sqlite::open(folder.path().join("bars.db")).await.expect("a file is opened");
        let store = SqliteStore::open(&database, ProviderName::ALPACA).await.expect("tables are made");
        let mut inserts = Vec::new();
        for rows in ROWS {
            inserts.push(create_raw(&database, rows).await);
        }
        let mut raws = vec![Vec::new(); ROWS.len()];
        let [mut fresh, mut recognised, mut compared] = [const { Vec::new() }; 3];
        // Page by page in turn, so that whatever disturbs the machine disturbs all alike.
        for page in 0..pages {
            let bars = market::bars(1, page);
            for ((insert, rows), raw) in inserts.iter().zip(ROWS).zip(&mut raws) {
                let started = Instant::now();
                insert_raw(&database, insert, rows, &bars).await;
                raw.push(cost(started.elapsed()));
            }
            fresh.push(cost(commit(&store, page).await));
        }
        let bytes_a_bar = bytes(&database).await as f64 / (pages * PAGE) as f64;
        for page in 0..pages {
            recognised.push(cost(commit(&store, page).await));
        }
        forget_digests(&database).await;
        for page in 0..pages {
            compared.push(cost(commit(&store, page).await));
        }
        database.close().await;
        let raws = raws.iter().map(|pages| typical(pages)).collect();
        let [fresh, recognised, compared] = [fresh, recognised, compared].map(|pages| typical(&pages));
        Self { raws, fresh, recognised, compared, bytes_a_bar }
    }
}

/// A table like the store's; returns the statement that fills it.
async fn create_raw(database: &Sqlite, rows: usize) -> String {
    let mut connection = database.connection().await.expect("a connection");
    let create: String = sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'store_bar'")
        .fetch_one(&mut *connection)
        .await
        .expect("the table is there");
    connection.finish().await.expect("a connection out of the pool goes back");
    let table = format!("raw_bar_{rows}");
    let mut transaction = database.begin().await.expect("a transaction begins");
    let create = create.replace("store_bar", &table);
    sqlx::query(AssertSqlSafe(create)).execute(&mut *transaction).await.expect("a table is made");
    transaction.commit().await.expect("a table is made");
    format!("INSERT INTO {table} VALUES {}", vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", "))
}

async fn insert_raw(database: &Sqlite, insert: &str, rows: usize, page: &[Bar]) {
    let mut transaction = database.begin().await.expect("a transaction begins");
    for rows in page.chunks(rows) {
        let mut query = sqlx::query(AssertSqlSafe(insert.to_owned()));
        for bar in rows {
            query = query
                .bind(1)
                .bind(bar.start.timestamp())
                .bind(bar.open)
                .bind(bar.high)
                .bind(bar.low)
                .bind(bar.close)
                .bind(bar.volume)
                .bind(bar.vwap)
                .bind(bar.trade_count.map(u64::cast_signed))
                .bind(1);
        }
        query.execute(&mut *transaction).await.expect("rows are inserted");
    }
    transaction.commit().await.expect("a page is committed");
}

/// Stores a page; returns how long that took, but for making the page up.
async fn commit(store: &SqliteStore, page: usize) -> Duration {
    let commit = market::commit(1, page, market::bars(1, page));
    let started = Instant::now();
    store.commit(&commit).await.expect("a page is committed");
    started.elapsed()
}

fn cost(wall: Duration) -> Cost {
    Cost { bars: PAGE, wall, cpu: Duration::ZERO, wal: 0 }
}

async fn forget_digests(database: &Sqlite) {
    let mut transaction = database.begin().await.expect("a transaction begins");
    sqlx::query("UPDATE store_batch SET digest = NULL")
        .execute(&mut *transaction)
        .await
        .expect("digests are forgotten");
    transaction.commit().await.expect("digests are forgotten");
}

/// Of everything in the file but the raw tables.
async fn bytes(database: &Sqlite) -> i64 {
    let mut connection = database.connection().await.expect("a connection");
    let bytes = sqlx::query_scalar("SELECT sum(pgsize) FROM dbstat WHERE name NOT LIKE 'raw_%'")
        .fetch_one(&mut *connection)
        .await
        .expect("the file has a size");
    connection.finish().await.expect("a connection out of the pool goes back");
    bytes
}
