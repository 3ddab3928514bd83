//! Tables that are brought up to date while they are in use.

use barkeep_database::{Migrations, Postgres, Step};
use barkeep_queue::{Claim, Completion, Inspect, PostgresQueue, Queue};
use barkeep_test_postgres::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::roles::ROLES;
use crate::sessions::until_waiting;

const BEFORE_COUNTERS: Migrations = Migrations {
    component: "queue",
    steps: &[
        Step { version: 1, sql: include_str!("../../migrations/postgres/0001_jobs.sql") },
        Step { version: 2, sql: include_str!("../../migrations/postgres/0002_watch.sql") },
        Step { version: 3, sql: include_str!("../../migrations/postgres/0003_spent.sql") },
        Step { version: 4, sql: include_str!("../../migrations/postgres/0004_endings.sql") },
        Step { version: 5, sql: include_str!("../../migrations/postgres/0005_turns.sql") },
        Step { version: 6, sql: include_str!("../../migrations/postgres/0006_places.sql") },
        Step { version: 7, sql: include_str!("../../migrations/postgres/0007_lookups.sql") },
        Step { version: 8, sql: include_str!("../../migrations/postgres/0008_waits.sql") },
        Step { version: 9, sql: include_str!("../../migrations/postgres/0009_claims.sql") },
        Step { version: 10, sql: include_str!("../../migrations/postgres/0010_adds.sql") },
        Step { version: 11, sql: include_str!("../../migrations/postgres/0011_rules.sql") },
    ],
};

pub(crate) const CLAIM: &str = "SELECT barkeep.queue_claim(now(), 'test', 5, now() + interval '1 hour', gen_random_uuid(), 'worker', \
    NULL, NULL, NULL)";

/// Ends what has a lease out of three jobs.
fn complete(first: i64) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT barkeep.queue_complete(now(), array_agg(id), array_agg(token), array_agg(NULL::text), array_agg(0::bigint)) \
        FROM barkeep.queue_lease WHERE id BETWEEN {first} AND {}",
        first + 2
    ))
}

/// Those that began before the step that counts in place find another table when they come to it.
#[tokio::test]
async fn what_runs_under_a_cap_is_counted_on_while_claims_and_endings_are_under_way() {
    let test = TestDatabase::create().await;
    let database = Postgres::connect(test.url()).await.unwrap();
    database.migrate(&BEFORE_COUNTERS).await.unwrap();
    let url = test.url().to_owned();
    let connect = || {
        let url = url.clone();
        async move { PgConnection::connect(&url).await.unwrap() }
    };
    let mut owner = connect().await;
    owner.execute(ROLES).await.unwrap();
    owner
        .execute(
            "GRANT SELECT, INSERT ON barkeep.queue_cap TO barkeep_worker;
            GRANT INSERT, DELETE ON barkeep.queue_use TO barkeep_worker;
            SELECT barkeep.queue_set_cap('', '', 1000), barkeep.queue_set_cap('test', '', 1000);
            WITH added AS (
                INSERT INTO barkeep.queue_job (created_at, run_at, rank, max_attempts, kind, payload)
                SELECT now(), now(), 0, 5, 'test', 'null' FROM generate_series(1, 30)
                RETURNING id, run_at, rank, kind
            )
            INSERT INTO barkeep.queue_ready (id, run_at, rank, kind) SELECT id, run_at, rank, kind FROM added",
        )
        .await
        .unwrap();
    let mut watch = connect().await;
    let begin = |statement: AssertSqlSafe<String>| {
        let connection = connect();
        tokio::spawn(async move { connection.await.execute(statement).await.unwrap() })
    };
    let claim = || AssertSqlSafe(CLAIM.to_owned());
    for _ in 0..2 {
        owner.execute(CLAIM).await.unwrap();
    }
    // Before the step has its locks, and after.
    let mut closed = owner.begin().await.unwrap();
    closed.execute("LOCK TABLE barkeep.queue_cap").await.unwrap();
    let mut under_way = vec![begin(claim()), begin(complete(1))];
    until_waiting(&mut watch, 2).await;
    let opens = tokio::spawn(async move { PostgresQueue::open(&database).await.unwrap() });
    until_waiting(&mut watch, 3).await;
    under_way.extend([begin(claim()), begin(complete(4))]);
    until_waiting(&mut watch, 5).await;
    closed.commit().await.unwrap();
    let queue = opens.await.unwrap();
    for one in under_way {
        one.await.unwrap();
    }

    let running = async || queue.caps().await.unwrap().iter().map(|used| used.running).collect::<Vec<_>>();
    assert_eq!(running().await, [14, 14], "ten, twice five more, and twice three less");
    let leases = queue.claim(&Claim::new("test", "worker").with_limit(4)).await.unwrap();
    assert_eq!(running().await, [18, 18]);
    let done: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
    assert_eq!(queue.complete(&done).await.unwrap(), []);
    assert_eq!(running().await, [14, 14]);
    let can_work = "SELECT has_table_privilege('barkeep_worker', 'barkeep.queue_use', 'UPDATE') \
        AND has_table_privilege('barkeep_worker', 'barkeep.queue_rules', 'SELECT') \
        AND has_table_privilege('barkeep_worker', 'barkeep.queue_rules', 'UPDATE')";
    assert!(sqlx::query_scalar::<_, bool>(can_work).fetch_one(&mut watch).await.unwrap(), "with the rights it had");
}
