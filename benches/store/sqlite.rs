//! SQLite: the store beside the best raw multi-row insert into the same key.

use std::time::{Duration, Instant};

use barkeep_database::Sqlite;
use barkeep_store::{ProviderName, SqliteStore, Store};
use barkeep_types::Bar;
use sqlx::AssertSqlSafe;

use crate::market::{self, PAGE};
use crate::report::{Cost, at_least, at_most, best, typical};

const ROWS: usize = 100;

pub async fn run(pages: usize, repetitions: usize) {
    println!("\nSQLite, WAL, {pages} pages of {PAGE} bars");
    let mut runs: [Vec<Cost>; 4] = Default::default();
    let mut bytes = 0.0;
    for _ in 0..repetitions {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Sqlite::open(folder.path().join("bars.db")).await.expect("a file is opened");
        let store = SqliteStore::open(&database, ProviderName::ALPACA).await.expect("tables are made");
        let insert = create_raw(&database).await;
        let [mut raw, mut fresh, mut recognised, mut compared] = [const { Vec::new() }; 4];
        // Page by page in turn, so that whatever disturbs the machine disturbs both alike.
        for page in 0..pages {
            let bars = market::bars(1, page);
            let started = Instant::now();
            insert_raw(&database, &insert, &bars).await;
            raw.push(cost(started.elapsed()));
            fresh.push(cost(commit(&store, page).await));
        }
        bytes = bytes_a_bar(&database, pages).await;
        for page in 0..pages {
            recognised.push(cost(commit(&store, page).await));
        }
        forget_digests(&database).await;
        for page in 0..pages {
            compared.push(cost(commit(&store, page).await));
        }
        database.close().await;
        for (run, pages) in runs.iter_mut().zip([raw, fresh, recognised, compared]) {
            run.push(typical(&pages));
        }
    }
    let [raw, fresh, recognised, compared] = runs.map(|run| best(&run));
    raw.line("raw prepared INSERT of 100 rows");
    fresh.line("commit: fresh pages");
    compared.line("commit: identical pages, compared");
    recognised.line("commit: identical pages, recognised by digest");
    at_least("SQLite: fresh beside raw rows", fresh.rate() / raw.rate(), 0.9);
    at_least("SQLite: identical, recognised, beside fresh", recognised.rate() / fresh.rate(), 10.0);
    at_most("SQLite: bytes a bar", bytes, 77.0);
}

/// A table like the store's; returns the statement that fills it.
async fn create_raw(database: &Sqlite) -> String {
    let mut connection = database.connection().await.expect("a connection");
    let create: String = sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'store_bar'")
        .fetch_one(&mut *connection)
        .await
        .expect("the table is there");
    connection.finish().await.expect("a connection out of the pool goes back");
    let mut transaction = database.begin().await.expect("a transaction begins");
    let create = create.replace("store_bar", "raw_bar");
    sqlx::query(AssertSqlSafe(create)).execute(&mut *transaction).await.expect("a table is made");
    transaction.commit().await.expect("a table is made");
    format!("INSERT INTO raw_bar VALUES {}", ["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; ROWS].join(", "))
}

async fn insert_raw(database: &Sqlite, insert: &str, page: &[Bar]) {
    let mut transaction = database.begin().await.expect("a transaction begins");
    for rows in page.chunks(ROWS) {
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

/// Of the whole file but the raw table, which is as large.
async fn bytes_a_bar(database: &Sqlite, pages: usize) -> f64 {
    let mut connection = database.connection().await.expect("a connection");
    let bytes: i64 = sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        .fetch_one(&mut *connection)
        .await
        .expect("the file has a size");
    connection.finish().await.expect("a connection out of the pool goes back");
    bytes as f64 / (2 * pages * PAGE) as f64
}
