use barkeep_database::Postgres;
use barkeep_queue::{Claim, Inspect, NewJob, PostgresQueue, Queue, Upkeep};
use barkeep_test_postgres::TestDatabase;
use sqlx::Connection;

pub(crate) async fn queue() -> (PostgresQueue, TestDatabase) {
    let test = TestDatabase::create().await;
    let database = Postgres::connect(test.url()).await.unwrap();
    (PostgresQueue::open(&database).await.unwrap(), test)
}

barkeep_queue::queue_conformance!(queue());

#[tokio::test]
async fn jobs_are_added_with_the_transaction_they_belong_to() {
    let (queue, test) = queue().await;
    let mut connection = sqlx::PgConnection::connect(test.url()).await.unwrap();
    let job = || [NewJob::new("test", serde_json::json!(1)).with_key("a")];

    let mut abandoned = connection.begin().await.unwrap();
    assert!(queue.enqueue_in(&mut abandoned, &job()).await.unwrap()[0].is_some());
    abandoned.rollback().await.unwrap();
    assert_eq!(queue.live("test").await.unwrap(), []);

    let mut kept = connection.begin().await.unwrap();
    let ids = queue.enqueue_in(&mut kept, &job()).await.unwrap();
    assert_eq!(queue.live("test").await.unwrap(), [], "not before it commits");
    kept.commit().await.unwrap();
    assert_eq!(Some(queue.live("test").await.unwrap()[0].id), ids[0]);
}

#[tokio::test]
async fn a_schema_of_another_name_holds_a_queue_of_its_own() {
    let test = TestDatabase::create().await;
    let settings = barkeep_database::PostgresSettings::new(test.url().parse().unwrap());
    let other = settings.clone().with_schema("user".parse().unwrap());
    let here = PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap();
    let there = PostgresQueue::open(&Postgres::connect_with(other).await.unwrap()).await.unwrap();
    there.enqueue(&[NewJob::new("test", serde_json::json!(1))]).await.unwrap();
    assert_eq!(here.counts().await.unwrap(), Default::default());
    assert_eq!(there.claim(&Claim::new("test", "worker")).await.unwrap().len(), 1);
    there.advance(std::time::Duration::from_secs(100 * 24 * 3600));
    there.prune(std::time::Duration::from_secs(1)).await.unwrap();
    assert_eq!(there.reap().await.unwrap().returned, 1);
}
