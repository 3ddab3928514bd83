//! Pages that others are in the way of.

use sqlx::{Connection, Executor, PgConnection};

use super::*;

fn pages(symbols: &[&str], minutes: i64) -> Commit {
    let of = |symbol: &&str| Series { symbol: symbol.parse().unwrap(), ..series() };
    page_of(&symbols.iter().map(of).collect::<Vec<_>>(), minutes)
}

/// Somebody has the second series and wants the first, in another order than pages do.
#[tokio::test]
async fn a_page_that_is_the_victim_of_a_deadlock_is_stored_all_the_same() {
    let (store, server) = open().await;
    store.commit(&pages(&["A", "B"], 1)).await.unwrap();
    let mut host = PgConnection::connect(server.url()).await.unwrap();
    // Only the page looks out for deadlocks, once, a second after it began to wait.
    host.execute("SET deadlock_timeout = '1min'").await.unwrap();
    let lock = |symbol: &'static str| {
        let lock = "SELECT barkeep.store_lock(ARRAY(SELECT series_id FROM barkeep.store_series WHERE symbol = $1))";
        sqlx::query(lock).bind(symbol)
    };
    let mut held = host.begin().await.unwrap();
    lock("B").execute(&mut *held).await.unwrap();
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(&pages(&["A", "B"], 5)).await }
    });
    until_it_waits(&store, &committing).await;
    lock("A").execute(&mut *held).await.unwrap();
    held.rollback().await.unwrap();
    let committed = committing.await.unwrap().unwrap();
    assert_eq!((committed.inserted, committed.unchanged), (8, 2));
}

#[tokio::test]
async fn pages_of_the_same_series_at_once_are_all_stored_whatever_isolation_the_host_has_for_a_default() {
    for default in ["serializable", "repeatable read"] {
        let (store, server) = open().await;
        let mut host = PgConnection::connect(server.url()).await.unwrap();
        let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut host).await.unwrap();
        let by_default = format!("ALTER DATABASE {name} SET default_transaction_isolation = '{default}'");
        host.execute(sqlx::AssertSqlSafe(by_default)).await.unwrap();
        store.database.close().await;
        let database = Postgres::connect(server.url()).await.unwrap();
        let store = PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap();
        store.commit(&pages(&["A", "B"], 1)).await.unwrap();
        let mut committing = tokio::task::JoinSet::new();
        for number in 0..8 {
            let store = store.clone();
            let minutes = 10 * (number + 1);
            committing.spawn(async move { store.commit(&pages(&["A", "B"], minutes)).await });
        }
        for committed in committing.join_all().await {
            committed.unwrap();
        }
        let a = Series { symbol: "A".parse().unwrap(), ..series() };
        let spans = store.coverage(std::slice::from_ref(&a), TimeRange::ALWAYS).await.unwrap().remove(0);
        let covered: Vec<_> = spans.iter().map(|span| (span.range, span.rows)).collect();
        assert_eq!(covered.iter().map(|(_, rows)| rows).sum::<u64>(), 80, "{default}: {covered:?}");
        assert_eq!(store.bars(&a, TimeRange::ALWAYS, 1_000).await.unwrap().len(), 80);
    }
}
