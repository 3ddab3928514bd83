//! Every statement of docs/operating-the-queue.md, on a queue that has something to show to each.

use std::time::Duration;

use barkeep_queue::conformance::Subject;
use barkeep_queue::{Claim, Completion, Failure, Lease, NewJob, Queue, Rate, Then};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

const PAGE: &str = include_str!("../../../../docs/operating-the-queue.md");
const KIND: &str = "bars";
const TALLY: &str = "SELECT outcome::bigint, sum(jobs)::bigint FROM barkeep.queue_tally GROUP BY 1 ORDER BY 1";
const DONE: &str = "SELECT outcome::bigint, count(*) FROM barkeep.queue_done GROUP BY 1 ORDER BY 1";

/// The statements of the blocks that are marked so.
fn statements(language: &str) -> Vec<&'static str> {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

async fn claim(queue: &dyn Subject, worker: &str, lease: Duration) -> Lease {
    queue.claim(&Claim::new(KIND, worker).with_lease(lease)).await.unwrap().remove(0)
}

/// One job of every sort. Ids rise from 1.
async fn fill(queue: &dyn Subject) {
    let job = |number: i16| {
        NewJob::new(KIND, json!({"number": number})).with_key(number.to_string()).with_priority(100 - number)
    };
    let minute = Duration::from_secs(60);
    let jobs = [job(1), job(2), job(3), job(4), job(5), job(6).with_group("AAPL"), job(7).with_group("XYZ"), job(8)];
    queue.enqueue(&jobs).await.unwrap();
    let (done, lapsed, again, failed, running) = (
        claim(queue, "one", minute).await,
        claim(queue, "dead", Duration::from_millis(1)).await,
        claim(queue, "one", minute).await,
        claim(queue, "one", minute).await,
        claim(queue, "two", minute).await,
    );
    assert_eq!([lapsed.id.number(), failed.id.number(), running.id.number()], [2, 4, 5]);
    queue.complete(&[Completion::new(done.key()).with_cost(3)]).await.unwrap();
    let failures = [
        Failure::new(again.key(), "SERVICE_UNAVAILABLE", "try later").then(Then::After(minute)),
        Failure::new(failed.key(), "SYMBOL_NOT_FOUND", "no such symbol").then(Then::Discard),
    ];
    queue.fail(&failures).await.unwrap();
    queue.set_budget("alpaca", &Rate::new(200, minute).unwrap()).await.unwrap();
}

#[tokio::test]
async fn every_statement_for_postgres_shows_or_does_something() {
    let (queue, test) = crate::postgres::queue().await;
    fill(&queue).await;
    let mut operator = PgConnection::connect(test.url()).await.unwrap();
    let statements = statements("sql");
    assert!(statements.len() > 20, "{}", statements.len());
    for statement in statements {
        let rows = sqlx::raw_sql(statement)
            .fetch_all(&mut operator)
            .await
            .unwrap_or_else(|error| panic!("{statement}{error}"));
        assert!(!rows.is_empty(), "nothing to show for{statement}");
    }

    // 4 was given back, 3 was hurried, 7 discarded, 2 lapsed: all but 5, which runs, can be claimed.
    queue.reap().await.unwrap();
    let leases = queue.claim(&Claim::new(KIND, "last").with_limit(100)).await.unwrap();
    assert_eq!(leases.iter().map(|lease| lease.id.number()).collect::<Vec<_>>(), [2, 3, 4, 6, 8]);
    let done: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
    queue.complete(&done).await.unwrap();
    let counted: Vec<(i64, i64)> = sqlx::query_as(TALLY).fetch_all(&mut operator).await.unwrap();
    let counted: Vec<_> = counted.into_iter().filter(|(_, jobs)| *jobs > 0).collect();
    let there: Vec<(i64, i64)> = sqlx::query_as(DONE).fetch_all(&mut operator).await.unwrap();
    assert_eq!((counted, there.clone()), (there, vec![(0, 6), (2, 1)]));
}

#[tokio::test]
async fn every_statement_under_looking_needs_only_the_right_to_read() {
    let (queue, test) = crate::roles::queue().await;
    fill(&queue).await;
    let mut reader = PgConnection::connect(test.url()).await.unwrap();
    sqlx::raw_sql("SET ROLE barkeep_reader").execute(&mut reader).await.unwrap();
    let looking = PAGE.split("\n## ").find(|part| part.starts_with("Looking")).unwrap();
    let statements: Vec<_> = statements("sql").into_iter().filter(|statement| looking.contains(statement)).collect();
    assert!(statements.len() > 10, "{}", statements.len());
    for statement in statements {
        sqlx::raw_sql(statement).fetch_all(&mut reader).await.unwrap_or_else(|error| panic!("{statement}{error}"));
    }
}

#[tokio::test]
async fn every_statement_for_sqlite_shows_or_does_something() {
    let (queue, folder) = crate::sqlite::queue().await;
    fill(&queue).await;
    let file = format!("sqlite://{}", folder.path().join("queue.db").display());
    let mut operator = SqliteConnection::connect(&file).await.unwrap();
    let statements = statements("sqlite");
    assert!(statements.len() > 6, "{}", statements.len());
    for statement in statements {
        let rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(&mut operator).await;
        let rows = rows.unwrap_or_else(|error| panic!("{statement}{error}"));
        assert!(!rows.is_empty(), "nothing to show for{statement}");
    }
}
