//! Bars are partitioned by calendar year.

use super::*;
use crate::Upkeep;

const DAY: i64 = 86_400;

fn at(seconds: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// Which years have partitions.
async fn years(store: &PostgresStore) -> Vec<i32> {
    let mut connection = store.database.connection().await.unwrap();
    let years = sqlx::query_scalar(
        "SELECT right(relid::text, 4)::int4 FROM pg_partition_tree('barkeep.store_bar') WHERE isleaf ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    connection.finish().await.unwrap();
    years
}

async fn this_year(store: &PostgresStore) -> i32 {
    number(store, "SELECT extract(year FROM now() AT TIME ZONE 'UTC')::int8").await.try_into().unwrap()
}

/// Daily bars of some days since 1970.
fn daily(symbol: &str, days: impl Iterator<Item = i64> + Clone) -> Commit {
    let series = Series { symbol: symbol.parse().unwrap(), timeframe: Timeframe::D1, ..series() };
    let bar = |day| Bar { start: at(day * DAY), ..page(1).bars[0].1[0] };
    let range =
        TimeRange::new(at(days.clone().min().unwrap() * DAY), at((days.clone().max().unwrap() + 1) * DAY)).unwrap();
    Commit::new(range).with_bars(series.clone(), days.map(bar).collect()).with_proof(series, range, State::Covered)
}

#[tokio::test]
async fn this_year_and_the_next_have_room_before_a_bar_comes() {
    let (store, _server) = open_new().await;
    let this = this_year(&store).await;
    assert_eq!(years(&store).await, [this, this + 1]);
}

#[tokio::test]
async fn a_page_of_many_years_makes_room_for_those_in_which_it_has_bars() {
    let (store, _server) = open_new().await;
    let this = this_year(&store).await;
    // The first and last instant of reach, and the two sides of a new year.
    let days = [0, 364, 365, 47_481];
    let page = daily("AAPL", days.into_iter());
    assert_eq!(store.commit(&page).await.unwrap().inserted, 4);
    assert_eq!(years(&store).await, [1970, 1971, this, this + 1, 2099]);
    assert_eq!(store.commit(&page).await.unwrap().unchanged, 4);
    let series = &page.proofs[0].series;
    assert_eq!(store.bars(series, page.asked, usize::MAX).await.unwrap(), page.bars[0].1);
    assert_eq!(store.latest(std::slice::from_ref(series)).await.unwrap(), [Some(page.bars[0].1[3])]);
    assert_eq!(store.check().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_who_find_no_room_at_once_make_it_once() {
    let (store, _server) = open_new().await;
    let pages: Vec<Commit> = (0..8).map(|number| daily(&format!("S{number}"), (0..1_000).rev())).collect();
    let committed = futures::future::try_join_all(pages.iter().map(|page| store.commit(page))).await.unwrap();
    assert!(committed.iter().all(|committed| committed.inserted == 1_000));
    assert_eq!(years(&store).await[..3], [1970, 1971, 1972]);
}

/// Each session has just seen that there is no such table, and remembers it while it waits for the one that makes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_is_made_once_however_many_make_it_at_once() {
    let (store, _server) = open_new().await;
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(store.database.connection().await.unwrap());
    }
    for year in 1970..2000 {
        for sql in ["SELECT barkeep.store_missing_years($1)", include_str!("../../../sql/postgres/make_room.sql")] {
            let ask = |session| sqlx::query(sql).bind(vec![year]).execute(session);
            futures::future::try_join_all(sessions.iter_mut().map(|session| ask(&mut **session))).await.unwrap();
        }
    }
    assert_eq!(years(&store).await[..30], (1970..2000).collect::<Vec<_>>());
}

#[tokio::test]
async fn readers_and_writers_of_other_years_do_not_wait_while_room_is_made() {
    let (store, _server) = open_new().await;
    store.commit(&page(10)).await.unwrap();
    let mut reader = store.database.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM barkeep.store_bar").execute(&mut *reader).await.unwrap();
    let mut maker = store.database.begin().await.unwrap();
    sqlx::query("SELECT barkeep.store_make_room(ARRAY[1999])").execute(&mut *maker).await.unwrap();
    assert_eq!(store.commit(&page(20)).await.unwrap().inserted, 10);
    assert_eq!(store.bars(&series(), page(20).asked, usize::MAX).await.unwrap().len(), 20);
    maker.commit().await.unwrap();
    assert!(years(&store).await.contains(&1999));
}

#[tokio::test]
async fn years_that_have_passed_whole_are_dropped() {
    let (store, _server) = open_new().await;
    store.commit(&daily("AAPL", 0..1_200)).await.unwrap();
    // 1972-03-01: two years whole, and two months of the third.
    let forgotten = store.retain(at(790 * DAY)).await.unwrap();
    assert_eq!((forgotten.years, forgotten.bars), (2, 60));
    assert_eq!(years(&store).await[..2], [1972, 1973]);
    assert_eq!(store.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_year_in_which_another_provider_has_bars_is_not_dropped() {
    let (store, _server) = open_new().await;
    let other = PostgresStore::open(&store.database, "other".parse().unwrap()).await.unwrap();
    store.commit(&daily("AAPL", 0..730)).await.unwrap();
    other.commit(&daily("AAPL", 0..365)).await.unwrap();
    let forgotten = store.retain(at(730 * DAY)).await.unwrap();
    assert_eq!((forgotten.years, forgotten.bars), (1, 365));
    assert_eq!(other.commit(&daily("AAPL", 0..365)).await.unwrap().unchanged, 365);
    assert_eq!(other.check().await.unwrap(), []);
    assert_eq!(other.retain(at(365 * DAY)).await.unwrap().years, 1);
}

#[tokio::test]
async fn a_year_that_is_being_read_is_dropped_later() {
    let (store, _server) = open_new().await;
    store.commit(&daily("AAPL", 0..365)).await.unwrap();
    let mut reader = store.database.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM barkeep.store_bar").execute(&mut *reader).await.unwrap();
    let error = store.retain(at(365 * DAY)).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("DATABASE_BUSY", true));
    // Its coverage went ahead: that is how barkeep leaves bars, and a page that comes covers them again.
    let findings = store.check().await.unwrap();
    assert!(matches!(findings[..], [Finding::Uncovered { bars: 365, .. }]), "{findings:?}");
    assert_eq!(store.commit(&daily("AAPL", 0..365)).await.unwrap().unchanged, 365);
    reader.commit().await.unwrap();
    assert_eq!(store.retain(at(365 * DAY)).await.unwrap().years, 1);
}

#[tokio::test]
async fn one_partition_is_read_for_a_range_within_a_year() {
    let (store, _server) = open_new().await;
    store.commit(&daily("AAPL", 0..1_200)).await.unwrap();
    let mut connection = store.database.connection().await.unwrap();
    let plan: serde_json::Value = sqlx::query_scalar(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM barkeep.store_bar
         WHERE series_id = 1 AND starts_at >= '1971-02-01Z' AND starts_at < '1971-03-01Z' ORDER BY starts_at",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    connection.finish().await.unwrap();
    let text = plan.to_string();
    assert!(text.contains("store_bar_1971") && !text.contains("store_bar_1970"), "{text}");
    assert!(!text.contains("Append"), "{text}");
}

#[tokio::test]
async fn the_last_bars_are_looked_for_year_by_year_from_the_end() {
    let (store, _server) = open_new().await;
    store.commit(&daily("AAPL", 0..1_200)).await.unwrap();
    let mut transaction = store.database.begin().await.unwrap();
    // So few bars would be sorted; of many, nobody would think of it.
    sqlx::raw_sql("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let plan: serde_json::Value = sqlx::query_scalar(
        "EXPLAIN (ANALYZE, FORMAT JSON)
         SELECT * FROM barkeep.store_bar
         WHERE series_id = (SELECT series_id FROM barkeep.store_series) ORDER BY starts_at DESC LIMIT 1",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    let mut scans = Vec::new();
    collect_scans(&plan[0]["Plan"], &mut scans);
    // The years before the last one that has bars are not even begun.
    let begun: Vec<&str> = scans.iter().filter(|(_, loops)| *loops > 0).map(|(name, _)| name.as_str()).collect();
    assert!(begun.contains(&"store_bar_1973") && !begun.contains(&"store_bar_1972"), "{scans:?}");
}

/// The tables that a plan scans, and how often.
fn collect_scans(plan: &serde_json::Value, scans: &mut Vec<(String, i64)>) {
    if let Some(name) = plan["Relation Name"].as_str() {
        scans.push((name.to_owned(), plan["Actual Loops"].as_i64().unwrap()));
    }
    plan["Plans"].as_array().into_iter().flatten().for_each(|plan| collect_scans(plan, scans));
}

#[tokio::test]
async fn a_role_that_may_not_make_tables_writes_and_has_room_made() {
    let (store, server) = open_new().await;
    let role = format!("writer_{}", server.url().rsplit('_').next().unwrap().split('?').next().unwrap());
    let rights = format!(
        "CREATE ROLE {role} LOGIN;
         GRANT USAGE ON SCHEMA barkeep TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA barkeep TO {role};
         GRANT INSERT, UPDATE, DELETE ON barkeep.store_series, barkeep.store_batch, barkeep.store_bar,
             barkeep.store_coverage, barkeep.store_rewrite, barkeep.store_former_bar, barkeep.store_quarantine TO {role};
         GRANT EXECUTE ON FUNCTION barkeep.store_make_room(int4[]) TO {role};"
    );
    let mut transaction = store.database.begin().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(rights)).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let url = server.url().replace("postgres@", &format!("{role}@"));
    let writer = PostgresStore::open(&Postgres::connect(&url).await.unwrap(), ProviderName::ALPACA).await.unwrap();
    assert_eq!(writer.commit(&daily("AAPL", 0..400)).await.unwrap().inserted, 400);
    let mut corrected = daily("AAPL", 0..400);
    corrected.bars[0].1[3].close = 1.5;
    assert_eq!(writer.commit(&corrected).await.unwrap().revised, 1);
    assert_eq!(writer.retain(at(365 * DAY)).await.unwrap_err().code(), "DATABASE_ACCESS_DENIED");
    writer.database.close().await;
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    let mut transaction = store.database.begin().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}
