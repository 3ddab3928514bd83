//! What claims and endings ask first: whether anything is paused, spends from a budget or is capped.

use std::time::Duration;

use barkeep_queue::{Budgets, Claim, Control, Inspect, NewJob, Pause, Queue, Rate, Scope};
use sqlx::{Connection, Executor, PgConnection};

use crate::postgres::queue;
use crate::sessions::until_waiting;
use crate::upgrade::CLAIM;

async fn known(connection: &mut PgConnection) -> (bool, bool, bool) {
    let known = "SELECT are_paused, are_spending, are_capped FROM barkeep.queue_rules";
    sqlx::query_as(known).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn whether_there_are_any_rules_is_known_whenever_one_comes_or_goes() {
    let (queue, test) = queue().await;
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    assert_eq!(known(&mut watch).await, (false, false, false));
    let (one, other) = (Pause::Kind("one".into()), Pause::Group("other".into()));
    queue.pause(&one).await.unwrap();
    queue.pause(&other).await.unwrap();
    assert_eq!(known(&mut watch).await, (true, false, false));
    queue.resume(&one).await.unwrap();
    assert_eq!(known(&mut watch).await, (true, false, false), "one is left");
    queue.resume(&other).await.unwrap();
    assert_eq!(known(&mut watch).await, (false, false, false));
    queue.set_budget("account", &Rate::new(60, Duration::from_secs(60)).unwrap()).await.unwrap();
    queue.set_budget_of("one", Some("account")).await.unwrap();
    queue.set_cap(&Scope::All, Some(1)).await.unwrap();
    assert_eq!(known(&mut watch).await, (false, true, true));
    queue.set_budget_of("one", None).await.unwrap();
    queue.set_cap(&Scope::All, None).await.unwrap();
    assert_eq!(known(&mut watch).await, (false, false, false));
    watch.execute("INSERT INTO barkeep.queue_pause VALUES ('one', '')").await.unwrap();
    assert_eq!(known(&mut watch).await, (true, false, false), "by hand");
    watch.execute("TRUNCATE barkeep.queue_pause").await.unwrap();
    assert_eq!(known(&mut watch).await, (false, false, false));
}

#[tokio::test]
async fn rules_that_come_and_go_at_the_same_time_are_all_known() {
    let (queue, test) = queue().await;
    queue.pause(&Pause::Kind("one".into())).await.unwrap();
    let mut first = PgConnection::connect(test.url()).await.unwrap();
    let mut watch = PgConnection::connect(test.url()).await.unwrap();
    let mut pauses = first.begin().await.unwrap();
    pauses.execute("INSERT INTO barkeep.queue_pause VALUES ('two', '')").await.unwrap();
    let resumes = tokio::spawn({
        let queue = queue.clone();
        async move { queue.resume(&Pause::Kind("one".into())).await.unwrap() }
    });
    until_waiting(&mut watch, 1).await;
    pauses.commit().await.unwrap();
    resumes.await.unwrap();
    assert_eq!(known(&mut watch).await, (true, false, false));
    assert_eq!(queue.paused().await.unwrap(), [Pause::Kind("two".into())]);
}

/// Where there was no cap before they looked at none, and count nothing.
#[tokio::test]
async fn a_first_cap_waits_for_the_claims_and_endings_under_way_and_counts_what_they_did() {
    let (queue, test) = queue().await;
    let jobs: Vec<_> = (0..20).map(|number| NewJob::new("test", serde_json::json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
    assert_eq!(queue.claim(&Claim::new("test", "worker").with_limit(10)).await.unwrap().len(), 10);
    let connect = async || PgConnection::connect(test.url()).await.unwrap();
    let (mut claims, mut ends, mut watch) = (connect().await, connect().await, connect().await);
    let (mut claims, mut ends) = (claims.begin().await.unwrap(), ends.begin().await.unwrap());
    claims.execute(CLAIM).await.unwrap();
    let complete = "SELECT barkeep.queue_complete(now(), array_agg(id), array_agg(token), array_agg(NULL::text), \
        array_agg(0::bigint)) FROM (SELECT id, token FROM barkeep.queue_lease ORDER BY id LIMIT 3) AS three";
    ends.execute(complete).await.unwrap();
    let caps = tokio::spawn({
        let queue = queue.clone();
        async move { queue.set_cap(&Scope::Kind("test".into()), Some(1_000)).await.unwrap() }
    });
    until_waiting(&mut watch, 1).await;
    claims.commit().await.unwrap();
    assert!(!caps.is_finished());
    ends.commit().await.unwrap();
    caps.await.unwrap();
    assert_eq!(queue.caps().await.unwrap()[0].running, 12, "ten, five more, and three less");
}
