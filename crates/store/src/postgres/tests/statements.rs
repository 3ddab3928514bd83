//! How much the server is asked, counted by the server.

use super::*;

/// A store with one connection, in which everything is counted.
async fn open_narrow() -> (PostgresStore, TestDatabase) {
    let server = TestDatabase::create().await;
    let settings = PostgresSettings::new(server.url().parse().unwrap()).with_connections(1);
    let database = Postgres::connect_with(settings).await.unwrap();
    (PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap(), server)
}

/// How many statements the session has executed, this one included.
async fn executions(store: &PostgresStore) -> i64 {
    number(store, "SELECT sum(generic_plans + custom_plans)::int8 FROM pg_prepared_statements").await
}

#[tokio::test]
async fn coverage_of_twenty_thousand_series_is_one_statement() {
    let (store, _server) = open_narrow().await;
    store.commit(&page(3)).await.unwrap();
    let named = |number: usize| Series { symbol: format!("S{number}").parse().unwrap(), ..series() };
    let asked: Vec<Series> = (1..20_000).map(named).chain([series()]).collect();
    executions(&store).await;
    let before = executions(&store).await;
    let coverage = store.coverage(&asked, TimeRange::ALWAYS).await.unwrap();
    assert_eq!(coverage.len(), 20_000);
    assert_eq!(coverage[19_999].len(), 1);
    assert_eq!(executions(&store).await - before, 2, "coverage, and the count itself");
}

#[tokio::test]
async fn the_statements_of_a_page_are_planned_once() {
    let (store, _server) = open_narrow().await;
    for minutes in 1..=20 {
        store.commit(&page(minutes)).await.unwrap();
    }
    let planned_anew = "SELECT coalesce(sum(custom_plans), 0)::int8 FROM pg_prepared_statements
        WHERE statement LIKE '%store_series%' OR statement LIKE '%store_coverage%' OR statement LIKE '%store_bar%'";
    assert_eq!(number(&store, planned_anew).await, 0);
}

/// The first pages find empty tables: what a session plans then, it does for as long as it lives.
#[tokio::test]
async fn plans_made_for_empty_tables_step_along_keys_for_ever() {
    let (store, server) = open_narrow().await;
    for minutes in [3, 2_000, 4_000] {
        store.commit(&page(minutes)).await.unwrap();
        let mut corrected = page(minutes);
        corrected.bars[0].1.iter_mut().step_by(7).for_each(|bar| bar.volume += 1.0);
        assert_ne!(store.commit(&corrected).await.unwrap().revised, 0);
    }
    // What a session did is counted when it ends, at the latest.
    store.database.close().await;
    let other = Postgres::connect(server.url()).await.unwrap();
    let other = PostgresStore::open(&other, ProviderName::ALPACA).await.unwrap();
    let by_key = "SELECT sum(idx_scan)::int8 FROM pg_stat_user_tables WHERE relname = 'store_bar_1970'";
    let rows_read_from_end_to_end = "SELECT sum(seq_tup_read)::int8 FROM pg_stat_user_tables
        WHERE relname IN ('store_bar_1970', 'store_coverage')";
    while number(&other, by_key).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(number(&other, rows_read_from_end_to_end).await, 0);
}
