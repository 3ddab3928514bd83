use barkeep_database::Postgres;
use barkeep_queue::{
    Claim, Completion, Control, Failure, Inspect, Lease, NewJob, PostgresQueue, Queue, Release, Scope, Then, Upkeep,
    Verdict,
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

/// Where there is plenty of room claims take their jobs before they take turns to be counted.
#[tokio::test]
async fn claims_that_others_were_ahead_of_put_back_what_a_cap_does_not_allow() {
    let test = TestDatabase::create().await;
    let settings = barkeep_database::PostgresSettings::new(test.url().parse().unwrap()).with_connections(10);
    let queue = PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap();
    let jobs: Vec<_> =
        (0..100).map(|number| NewJob::new("test", serde_json::json!(number)).with_key(number.to_string())).collect();
    queue.enqueue(&jobs).await.unwrap();
    queue.set_cap(&Scope::All, Some(35)).await.unwrap();

    let mut turn = sqlx::PgConnection::connect(test.url()).await.unwrap();
    let mut held = turn.begin().await.unwrap();
    sqlx::query("SELECT barkeep.queue_take_turn('test')").execute(&mut *held).await.unwrap();
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let queue = queue.clone();
        claims.spawn(async move { queue.claim(&Claim::new("test", "worker").with_limit(10)).await.unwrap() });
    }
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let mut watch = sqlx::PgConnection::connect(test.url()).await.unwrap();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watch).await.unwrap() < 8 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    held.commit().await.unwrap();
    let leased: Vec<_> = claims.join_all().await.into_iter().flatten().collect();

    assert_eq!(leased.len(), 35, "as many as the cap allows, and no more");
    assert_eq!(queue.caps().await.unwrap()[0].running, 35);
    let done: Vec<_> = leased.iter().map(|lease| Completion::new(lease.key())).collect();
    assert_eq!(queue.complete(&done).await.unwrap(), []);
    queue.set_cap(&Scope::All, None).await.unwrap();
    let mut rest = Vec::new();
    // The first one may look behind where another stopped.
    for _ in 0..2 {
        rest.extend(queue.claim(&Claim::new("test", "worker").with_limit(100)).await.unwrap());
    }
    let mut keys: Vec<u32> =
        rest.iter().chain(&leased).map(|lease| lease.key.as_ref().unwrap().parse().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, (0..100).collect::<Vec<_>>(), "what was put back is there, once");
}

/// Where there is room for all who can claim at the same time.
#[tokio::test]
async fn claims_that_take_no_turns_keep_to_a_cap() {
    const CLAIMS: usize = 16;
    let test = TestDatabase::create().await;
    let settings = barkeep_database::PostgresSettings::new(test.url().parse().unwrap()).with_connections(20);
    let queue = PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap();
    let job = |number: usize| NewJob::new("test", serde_json::json!(number)).with_key(number.to_string());
    queue.enqueue(&(0..4_000).map(job).collect::<Vec<_>>()).await.unwrap();
    let mut gate = sqlx::PgConnection::connect(test.url()).await.unwrap();
    let mut watch = sqlx::PgConnection::connect(test.url()).await.unwrap();
    // So long that all that may are at it at the same time.
    let slowly =
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END';
        CREATE TRIGGER slowly BEFORE INSERT ON barkeep.queue_lease FOR EACH STATEMENT EXECUTE FUNCTION slowly()";
    sqlx::raw_sql(slowly).execute(&mut gate).await.unwrap();
    // All of them would fit in, all but one job, and half of them.
    for cap in [1_600, 1_599, 820] {
        queue.set_cap(&Scope::All, Some(cap)).await.unwrap();
        queue.set_cap(&Scope::Kind("test".to_owned()), Some(cap)).await.unwrap();
        let mut closed = gate.begin().await.unwrap();
        sqlx::query("LOCK TABLE barkeep.queue_cap").execute(&mut *closed).await.unwrap();
        let mut claims = tokio::task::JoinSet::new();
        for _ in 0..CLAIMS {
            let queue = queue.clone();
            claims.spawn(async move { queue.claim(&Claim::new("test", "worker").with_limit(100)).await.unwrap() });
        }
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watch).await.unwrap() < CLAIMS as i64 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        closed.commit().await.unwrap();
        let leased: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
        assert_eq!(leased.len(), cap as usize, "as many as the cap allows, and no more");
        assert!(queue.caps().await.unwrap().iter().all(|used| used.running == u64::from(cap)));
        let back: Vec<_> = leased.iter().map(|lease| Release::new(lease.key())).collect();
        assert_eq!(queue.release(&back).await.unwrap(), []);
        assert!(queue.caps().await.unwrap().iter().all(|used| used.running == 0));
    }
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
