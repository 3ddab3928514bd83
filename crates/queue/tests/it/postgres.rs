use barkeep_database::Postgres;
use barkeep_queue::PostgresQueue;
use barkeep_test_postgres::TestDatabase;

pub(crate) async fn queue() -> (PostgresQueue, TestDatabase) {
    let test = TestDatabase::create().await;
    let database = Postgres::connect(test.url()).await.unwrap();
    (PostgresQueue::open(database).await.unwrap(), test)
}

barkeep_queue::queue_conformance!(queue());
