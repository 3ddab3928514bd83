//! What a program would do that knows nothing but the driver: the limits that the store is held to.

use std::time::Duration;

use barkeep_database::Postgres;
use barkeep_types::{Bar, TimeRange};
use chrono::{DateTime, Datelike, Utc};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// A table like the store's, with its key, its constraints and its years.
pub async fn create(connection: &mut PgConnection, table: &str, range: TimeRange) {
    let mut create =
        format!("CREATE TABLE {table} (LIKE barkeep.store_bar INCLUDING ALL) PARTITION BY RANGE (starts_at)");
    for year in range.start().year()..=range.end().year() {
        let next = year + 1;
        create += &format!(
            "; CREATE TABLE {table}_{year} PARTITION OF {table} FOR VALUES FROM ('{year}-01-01Z') TO ('{next}-01-01Z')"
        );
    }
    sqlx::raw_sql(AssertSqlSafe(create)).execute(connection).await.expect("a table is made");
}

/// As [`create`], in one piece.
pub async fn create_whole(connection: &mut PgConnection, table: &str) {
    let create = format!("CREATE TABLE {table} (LIKE barkeep.store_bar INCLUDING ALL)");
    sqlx::query(AssertSqlSafe(create)).execute(connection).await.expect("a table is made");
}

pub async fn copy_page(connection: &mut PgConnection, table: &str, id: i32, bars: &[Bar]) {
    let mut transaction = connection.begin().await.expect("a transaction begins");
    copy(&mut transaction, table, id, bars).await;
    transaction.commit().await.expect("a page is committed");
}

pub async fn stage_page(connection: &mut PgConnection, table: &str, id: i32, bars: &[Bar]) {
    let mut transaction = connection.begin().await.expect("a transaction begins");
    let create = format!("CREATE TEMP TABLE staged (LIKE {table}) ON COMMIT DROP");
    sqlx::query(AssertSqlSafe(create)).execute(&mut *transaction).await.expect("a table is made");
    copy(&mut transaction, "staged", id, bars).await;
    let merge = format!(
        "INSERT INTO {table} SELECT * FROM staged ON CONFLICT (series_id, starts_at) DO UPDATE
         SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
             volume = excluded.volume, vwap = excluded.vwap, trade_count = excluded.trade_count,
             batch_id = excluded.batch_id"
    );
    sqlx::query(AssertSqlSafe(merge)).execute(&mut *transaction).await.expect("rows are merged");
    transaction.commit().await.expect("a page is committed");
}

async fn copy(connection: &mut PgConnection, table: &str, id: i32, bars: &[Bar]) {
    let statement = format!("COPY {table} FROM STDIN (FORMAT BINARY)");
    let mut copy = connection.copy_in_raw(&statement).await.expect("a copy begins");
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for bar in bars {
        bytes.extend(10_i16.to_be_bytes());
        let micros = (bar.start.timestamp() - 946_684_800) * 1_000_000;
        let floats = [bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap.unwrap_or(bar.close)];
        let count = bar.trade_count.unwrap_or_default().cast_signed();
        let eights = [micros].into_iter().chain(floats.map(|float| float.to_bits().cast_signed())).chain([count]);
        for eight in eights {
            bytes.extend(8_i32.to_be_bytes());
            bytes.extend(eight.to_be_bytes());
        }
        for four in [id, 1] {
            bytes.extend(4_i32.to_be_bytes());
            bytes.extend(four.to_be_bytes());
        }
        // Of the sizes that were tried, the fastest.
        if bytes.len() > 16 * 1024 {
            let full = std::mem::replace(&mut bytes, Vec::with_capacity(17 * 1024));
            copy.send(full).await.expect("rows are sent");
        }
    }
    bytes.extend((-1_i16).to_be_bytes());
    copy.send(bytes).await.expect("rows are sent");
    copy.finish().await.expect("the copy ends");
}

/// Every bar of the first series, row by row.
pub async fn rows(connection: &mut PgConnection, range: TimeRange) -> Vec<Bar> {
    let rows = sqlx::query(
        "SELECT starts_at, open, high, low, close, volume, vwap, trade_count FROM barkeep.store_bar
         WHERE series_id = (SELECT series_id FROM barkeep.store_series WHERE symbol = 'S1')
             AND starts_at >= $1 AND starts_at < $2
         ORDER BY starts_at",
    )
    .bind(range.start())
    .bind(range.end())
    .fetch_all(connection)
    .await
    .expect("rows are read");
    let bar = |row: &sqlx::postgres::PgRow| Bar {
        start: row.get::<DateTime<Utc>, _>(0),
        open: row.get(1),
        high: row.get(2),
        low: row.get(3),
        close: row.get(4),
        volume: row.get(5),
        vwap: row.get(6),
        trade_count: row.get::<Option<i64>, _>(7).map(i64::cast_unsigned),
    };
    rows.iter().map(bar).collect()
}

/// What coverage would cost without a ledger; returns how many series there are.
pub async fn scan_index(connection: &mut PgConnection) -> usize {
    let sql = "SELECT series_id, min(starts_at), max(starts_at), count(*) FROM barkeep.store_bar GROUP BY series_id";
    sqlx::query(sql).fetch_all(connection).await.expect("bars are scanned").len()
}

/// A table in one piece whose rows came minute by minute: of 100 series, more than rows fit into a page.
pub async fn create_by_minute(connection: &mut PgConnection, table: &str, minutes: usize) {
    create_whole(connection, table).await;
    let fill = format!(
        "INSERT INTO {table}
         SELECT '2020-01-02T14:30:00Z'::timestamptz + minute * interval '1 minute', 1, 1, 1, 1, 1, 1, 1, series, 1
         FROM generate_series(0, {} - 1) AS minute, generate_series(1, 100) AS series
         ORDER BY minute, series",
        minutes
    );
    sqlx::query(AssertSqlSafe(fill)).execute(&mut *connection).await.expect("rows are inserted");
    let vacuum = format!("VACUUM ANALYZE {table}");
    sqlx::query(AssertSqlSafe(vacuum)).execute(connection).await.expect("statistics are taken");
}

/// How many pages of a table and its key a range read of the first series touches.
pub async fn buffers(connection: &mut PgConnection, table: &str, id: i32, range: TimeRange) -> i64 {
    let sql = format!(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
         SELECT * FROM {table} WHERE series_id = {id} AND starts_at >= $1 AND starts_at < $2 ORDER BY starts_at"
    );
    let plan: serde_json::Value = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(range.start())
        .bind(range.end())
        .fetch_one(connection)
        .await
        .expect("a plan is explained");
    let of = |name: &str| plan[0]["Plan"][name].as_i64().unwrap_or_default();
    of("Shared Hit Blocks") + of("Shared Read Blocks")
}

/// The id under which the store has the first series.
pub async fn first_series(connection: &mut PgConnection) -> i32 {
    let sql = "SELECT series_id FROM barkeep.store_series WHERE symbol = 'S1'";
    sqlx::query_scalar(sql).fetch_one(connection).await.expect("the series is there")
}

/// How many statements a session has executed; this one is among the next time.
pub async fn executions(database: &Postgres) -> i64 {
    let mut connection = database.connection().await.expect("a connection");
    let sql = "SELECT coalesce(sum(generic_plans + custom_plans), 0)::int8 FROM pg_prepared_statements";
    let count = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.expect("statements are counted");
    connection.finish().await.expect("a connection out of the pool goes back");
    count
}

/// How long a process has run; nought where there is no /proc.
pub fn cpu_of(pid: i32) -> Duration {
    let schedule = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let nanoseconds = schedule.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
