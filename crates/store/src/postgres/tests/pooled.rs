//! The suites once more, through a pooler that lends a connection for a transaction.

use barkeep_test_postgres::Pooler;

use super::*;

async fn open() -> (PostgresStore, (Pooler, TestDatabase)) {
    let server = TestDatabase::create().await;
    let pooler = Pooler::before(&server);
    let database = Postgres::connect(&format!("{}&pooler=transaction", pooler.url())).await.unwrap();
    (PostgresStore::open(&database, ProviderName::ALPACA).await.unwrap(), (pooler, server))
}

crate::store_conformance!(open().await);
crate::history_conformance!(open().await, now);
crate::upkeep_conformance!(open().await);
