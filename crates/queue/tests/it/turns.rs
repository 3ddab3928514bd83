//! How claims that run at the same time keep to a cap.

use std::time::Duration;

use barkeep_database::{Postgres, PostgresSettings};
use barkeep_queue::{Claim, Completion, Control, Inspect, NewJob, PostgresQueue, Queue, Release, Scope};
use barkeep_test_postgres::TestDatabase;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::sessions::{until_alone, until_waiting};

async fn queue(connections: u32) -> (PostgresQueue, TestDatabase) {
    let test = TestDatabase::create().await;
    let settings = PostgresSettings::new(test.url().parse().unwrap()).with_connections(connections);
    (PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap(), test)
}

/// Where there is plenty of room claims take their jobs before they take turns to be counted.
#[tokio::test]
async fn claims_that_others_were_ahead_of_put_back_what_a_cap_does_not_allow() {
    let (queue, test) = queue(10).await;
    let jobs: Vec<_> =
        (0..100).map(|number| NewJob::new("test", serde_json::json!(number)).with_key(number.to_string())).collect();
    queue.enqueue(&jobs).await.unwrap();
    queue.set_cap(&Scope::All, Some(35)).await.unwrap();

    let mut turn = PgConnection::connect(test.url()).await.unwrap();
    let mut held = turn.begin().await.unwrap();
    sqlx::query("SELECT barkeep.queue_take_turn('test')").execute(&mut *held).await.unwrap();
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let queue = queue.clone();
        claims.spawn(async move { queue.claim(&Claim::new("test", "worker").with_limit(10)).await.unwrap() });
    }
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    until_waiting(&mut watch, 8).await;
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
    let (queue, test) = queue(20).await;
    let job = |number: usize| NewJob::new("test", serde_json::json!(number)).with_key(number.to_string());
    queue.enqueue(&(0..4_000).map(job).collect::<Vec<_>>()).await.unwrap();
    let mut gate = PgConnection::connect(test.url()).await.unwrap();
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
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
        until_waiting(&mut watch, CLAIMS as i64).await;
        closed.commit().await.unwrap();
        let leased: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
        assert_eq!(leased.len(), cap as usize, "as many as the cap allows, and no more");
        assert!(queue.caps().await.unwrap().iter().all(|used| used.running == u64::from(cap)));
        let back: Vec<_> = leased.iter().map(|lease| Release::new(lease.key())).collect();
        assert_eq!(queue.release(&back).await.unwrap(), []);
        assert!(queue.caps().await.unwrap().iter().all(|used| used.running == 0));
    }
}

/// It would stop all others if it took a turn.
#[tokio::test]
async fn a_claim_that_finds_no_place_waits_for_one_and_holds_nobody_up() {
    let (queue, test) = queue(4).await;
    let jobs: Vec<_> = (0..110).map(|number| NewJob::new("test", serde_json::json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
    queue.set_cap(&Scope::All, Some(1_000)).await.unwrap();
    // As many claims of a hundred as there may be at the same time.
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = PgConnection::connect(test.url()).await.unwrap();
        let taken = "BEGIN; SELECT barkeep.queue_take_places('test', 100, 1000)";
        sqlx::raw_sql(taken).execute(&mut other).await.unwrap();
        others.push(other);
    }
    let claim = |limit| Claim::new("test", "worker").with_limit(limit);
    let waits = tokio::spawn({
        let (queue, claim) = (queue.clone(), claim(100));
        async move { queue.claim(&claim).await.unwrap() }
    });
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    until_waiting(&mut watch, 1).await;

    let small = timeout(Duration::from_secs(5), queue.claim(&claim(10))).await;
    assert_eq!(small.expect("goes ahead").unwrap().len(), 10);
    assert!(!waits.is_finished());
    for other in others {
        other.close().await.unwrap();
    }
    assert_eq!(waits.await.unwrap().len(), 100);
    assert_eq!(queue.caps().await.unwrap()[0].running, 110);
}

/// What is taken away, and written anew, is read past by every claim until the table is vacuumed.
#[tokio::test]
async fn what_runs_under_a_cap_is_counted_in_place() {
    const JOBS: usize = 2_000;
    let (queue, test) = queue(4).await;
    let jobs: Vec<_> = (0..JOBS).map(|number| NewJob::new("test", serde_json::json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
    queue.set_cap(&Scope::All, Some(1_000)).await.unwrap();
    queue.set_cap(&Scope::Kind("test".to_owned()), Some(1_000)).await.unwrap();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let queue = queue.clone();
        workers.spawn(async move {
            loop {
                let leases = queue.claim(&Claim::new("test", "worker").with_limit(1)).await.unwrap();
                let Some(lease) = leases.first() else { return };
                assert_eq!(queue.complete(&[Completion::new(lease.key())]).await.unwrap(), []);
            }
        });
    }
    workers.join_all().await;
    assert!(queue.caps().await.unwrap().iter().all(|used| used.running == 0));
    drop(queue);
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    until_alone(&mut watch).await;
    let kept = "SELECT count(*) FROM barkeep.queue_use";
    let rows = sqlx::query_scalar::<_, i64>(kept).fetch_one(&mut watch).await.unwrap();
    assert!(rows <= 2 * (1 + 4), "one since the cap was set, and one for each that counted at the same time: {rows}");
    let written = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'queue_use'";
    assert_eq!(sqlx::query_scalar::<_, i64>(written).fetch_one(&mut watch).await.unwrap(), rows, "none was taken away");
}

/// There are sixteen for each cap.
#[tokio::test]
async fn who_finds_all_counters_in_use_waits_for_one() {
    let (queue, test) = queue(4).await;
    let jobs: Vec<_> = (0..10).map(|number| NewJob::new("test", serde_json::json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
    queue.set_cap(&Scope::All, Some(1_000)).await.unwrap();
    let leases = queue.claim(&Claim::new("test", "worker").with_limit(10)).await.unwrap();
    let mut others = Vec::new();
    for _ in 0..16 {
        let mut other = PgConnection::connect(test.url()).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT barkeep.queue_counter()").execute(&mut other).await.unwrap();
        others.push(other);
    }
    let ends = tokio::spawn({
        let (queue, done) =
            (queue.clone(), leases.iter().map(|lease| Completion::new(lease.key())).collect::<Vec<_>>());
        async move { queue.complete(&done).await.unwrap() }
    });
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    until_waiting(&mut watch, 1).await;
    assert_eq!(queue.caps().await.unwrap()[0].running, 10);
    for other in others {
        other.close().await.unwrap();
    }
    assert_eq!(ends.await.unwrap(), []);
    assert_eq!(queue.caps().await.unwrap()[0].running, 0);
}

/// The server would resolve a deadlock after a second, and the call would be made again: that would show nowhere else.
#[tokio::test]
async fn caps_that_change_while_jobs_are_claimed_and_ended_lead_to_no_deadlock() {
    const JOBS: usize = 2_000;
    let (queue, test) = queue(12).await;
    let jobs: Vec<_> = (0..JOBS).map(|number| NewJob::new("test", serde_json::json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let queue = queue.clone();
        claims.spawn(async move {
            let mut done = 0;
            while queue.counts().await.unwrap()["test"].live() > 0 {
                let leases = queue.claim(&Claim::new("test", "worker").with_limit(10)).await.unwrap();
                let completions: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
                assert_eq!(queue.complete(&completions).await.unwrap(), []);
                done += leases.len();
            }
            done
        });
    }
    let changes = tokio::spawn({
        let queue = queue.clone();
        async move {
            for cap in [Some(1_000), None, Some(20), Some(0)].into_iter().cycle() {
                for scope in [Scope::All, Scope::Kind("test".to_owned()), Scope::Group("none".to_owned())] {
                    queue.set_cap(&scope, cap).await.unwrap();
                }
            }
        }
    });
    let done: usize = claims.join_all().await.into_iter().sum();
    changes.abort();
    assert_eq!(done, JOBS);
    drop(queue);
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    until_alone(&mut watch).await;
    let met = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(sqlx::query_scalar::<_, i64>(met).fetch_one(&mut watch).await.unwrap(), 0);
}
