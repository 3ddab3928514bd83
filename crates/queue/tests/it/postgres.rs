use barkeep_database::Postgres;
use barkeep_queue::{Claim, Completion, Failure, Inspect, NewJob, PostgresQueue, Queue, Then, Upkeep, Verdict};
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

/// The tables of what is live grow from nothing to thousands of rows between two looks that the planner takes at them.
#[tokio::test]
async fn endings_planned_while_there_were_no_leases_find_them_by_index() {
    let test = TestDatabase::create().await;
    let settings = barkeep_database::PostgresSettings::new(test.url().parse().unwrap()).with_connections(1);
    let database = Postgres::connect_with(settings).await.unwrap();
    let queue = PostgresQueue::open(&database).await.unwrap();
    let job = || NewJob::new("test", serde_json::json!(1));
    queue.enqueue(&[job()]).await.unwrap();
    let lost = queue.claim(&Claim::new("test", "worker")).await.unwrap()[0].key();
    // Often enough for the server to settle for a plan.
    for _ in 0..10 {
        queue.complete(&[Completion::new(lost)]).await.unwrap();
        queue.fail(&[Failure::new(lost, "NONE", "")]).await.unwrap();
    }
    queue.enqueue(&(0..3_000).map(|_| job()).collect::<Vec<_>>()).await.unwrap();
    for _ in 0..30 {
        let leases = queue.claim(&Claim::new("test", "worker").with_limit(100)).await.unwrap();
        let (done, failed) = leases.split_at(50);
        let done: Vec<_> = done.iter().map(|lease| Completion::new(lease.key())).collect();
        assert_eq!(queue.complete(&done).await.unwrap(), []);
        let failed: Vec<_> =
            failed.iter().map(|lease| Failure::new(lease.key(), "NONE", "").then(Then::Discard)).collect();
        assert!(queue.fail(&failed).await.unwrap().iter().all(|verdict| *verdict == Verdict::Failed));
    }
    // A server process tells what it read when it ends, at the latest.
    database.close().await;
    let mut watch = sqlx::PgConnection::connect(test.url()).await.unwrap();
    loop {
        let (ended, read): (i64, i64) = sqlx::query_as(
            "SELECT min(n_tup_del), sum(seq_tup_read)::int8 FROM pg_stat_user_tables
             WHERE schemaname = 'barkeep' AND relname IN ('queue_lease', 'queue_job')",
        )
        .fetch_one(&mut watch)
        .await
        .unwrap();
        if ended == 3_001 {
            assert_eq!(read, 0, "rows of live jobs read from end to end");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
