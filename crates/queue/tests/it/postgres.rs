use barkeep_database::Postgres;
use barkeep_queue::{
    Claim, Completion, Control, Failure, Inspect, Lease, NewJob, PostgresQueue, Queue, Scope, Then, Upkeep, Verdict,
};
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

/// A batch that met a live key is taken back and added one by one, which no transaction may suffer from.
#[tokio::test]
async fn a_transaction_goes_on_after_a_batch_of_which_some_were_live() {
    let (queue, test) = queue().await;
    let jobs = |keys: std::ops::Range<u32>| -> Vec<NewJob> {
        keys.map(|key| NewJob::new("test", serde_json::json!(1)).with_key(key.to_string())).collect()
    };
    queue.enqueue(&jobs(90..100)).await.unwrap();
    let mut connection = sqlx::PgConnection::connect(test.url()).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let ids = queue.enqueue_in(&mut transaction, &jobs(0..100)).await.unwrap();
    assert_eq!(ids.iter().flatten().count(), 90);
    let ids = queue.enqueue_in(&mut transaction, &jobs(100..200)).await.unwrap();
    assert_eq!(ids.iter().flatten().count(), 100);
    transaction.commit().await.unwrap();
    assert_eq!(queue.live("test").await.unwrap().len(), 200);
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
    let (queue, test) = one_connection().await;
    queue.enqueue(&[NewJob::new("test", serde_json::json!(1))]).await.unwrap();
    let lost = queue.claim(&Claim::new("test", "worker")).await.unwrap()[0].key();
    // Often enough for the server to settle for a plan.
    for _ in 0..10 {
        queue.complete(&[Completion::new(lost)]).await.unwrap();
        queue.fail(&[Failure::new(lost, "NONE", "")]).await.unwrap();
    }
    assert_ends_by_index(&queue, &test).await;
}

/// What a vacuum says of a table that was empty just then, and was not made shorter, is believed until the next.
#[tokio::test]
async fn endings_planned_after_a_vacuum_of_an_empty_queue_find_their_leases_by_index() {
    for cap in [None, Some(100_000)] {
        let (queue, test) = one_connection().await;
        queue.set_cap(&Scope::All, cap).await.unwrap();
        end(&queue, 3_000).await;
        let mut vacuum = sqlx::PgConnection::connect(test.url()).await.unwrap();
        sqlx::query("VACUUM (TRUNCATE false) barkeep.queue_lease, barkeep.queue_job, barkeep.queue_ready")
            .execute(&mut vacuum)
            .await
            .unwrap();
        assert_ends_by_index(&queue, &test).await;
    }
}

async fn one_connection() -> (PostgresQueue, TestDatabase) {
    let test = TestDatabase::create().await;
    let settings = barkeep_database::PostgresSettings::new(test.url().parse().unwrap()).with_connections(1);
    (PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap(), test)
}

/// Ends jobs in batches, one half well and the other not, once all of them are leased.
async fn end(queue: &PostgresQueue, jobs: usize) {
    let job = |_| NewJob::new("test", serde_json::json!(1));
    queue.enqueue(&(0..jobs).map(job).collect::<Vec<_>>()).await.unwrap();
    let mut leases = Vec::new();
    while leases.len() < jobs {
        leases.extend(queue.claim(&Claim::new("test", "worker").with_limit(100)).await.unwrap());
    }
    for batch in leases.chunks(100) {
        let (done, failed) = batch.split_at(50);
        let done: Vec<_> = done.iter().map(|lease| Completion::new(lease.key())).collect();
        assert_eq!(queue.complete(&done).await.unwrap(), []);
        let fail = |lease: &Lease| Failure::new(lease.key(), "NONE", "").then(Then::Discard);
        let verdicts = queue.fail(&failed.iter().map(fail).collect::<Vec<_>>()).await.unwrap();
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Failed));
    }
}

async fn assert_ends_by_index(queue: &PostgresQueue, test: &TestDatabase) {
    const JOBS: usize = 3_000;
    let mut watch = sqlx::PgConnection::connect(test.url()).await.unwrap();
    let before = rows_read(&mut watch).await;
    end(queue, JOBS).await;
    // A server process tells what it read at its leisure.
    let after = loop {
        let after = rows_read(&mut watch).await;
        if after.ended >= before.ended + 2 * JOBS as i64 {
            break after;
        }
        queue.claim(&Claim::new("test", "worker")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(after.end_to_end, before.end_to_end, "rows of live jobs read from end to end");
    let each = (after.by_index - before.by_index) as f64 / JOBS as f64;
    assert!(each < 10.0, "rows read along an index for each job: {each}");
}

/// What was read of the tables of live jobs and leases, and how many rows went.
struct RowsRead {
    ended: i64,
    end_to_end: i64,
    by_index: i64,
}

async fn rows_read(watch: &mut sqlx::PgConnection) -> RowsRead {
    let (ended, end_to_end, by_index) = sqlx::query_as(
        "SELECT sum(n_tup_del)::int8, sum(seq_tup_read)::int8, sum(idx_tup_fetch)::int8 FROM pg_stat_user_tables
         WHERE schemaname = 'barkeep' AND relname IN ('queue_lease', 'queue_job')",
    )
    .fetch_one(watch)
    .await
    .unwrap();
    RowsRead { ended, end_to_end, by_index }
}

#[tokio::test]
async fn workers_are_not_in_each_others_way_whatever_isolation_the_host_has_for_a_default() {
    for default in ["serializable", "repeatable read"] {
        let test = TestDatabase::create().await;
        let mut host = sqlx::PgConnection::connect(test.url()).await.unwrap();
        let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut host).await.unwrap();
        let by_default = format!("ALTER DATABASE {name} SET default_transaction_isolation = '{default}'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(by_default)).execute(&mut host).await.unwrap();
        let queue = PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
        queue.set_cap(&Scope::All, Some(20)).await.unwrap();
        let jobs: Vec<_> = (0..200).map(|number| NewJob::new("test", serde_json::json!(number))).collect();
        queue.enqueue(&jobs).await.unwrap();
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let queue = queue.clone();
            workers.spawn(async move {
                let mut done = 0;
                while queue.counts().await.unwrap()["test"].live() > 0 {
                    let leases = queue.claim(&Claim::new("test", "worker").with_limit(5)).await.unwrap();
                    let endings: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
                    assert_eq!(queue.complete(&endings).await.unwrap(), []);
                    done += leases.len();
                }
                done
            });
        }
        assert_eq!(workers.join_all().await.into_iter().sum::<usize>(), 200, "{default}: each once");
    }
}
