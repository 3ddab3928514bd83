use std::time::{Duration, Instant};

use barkeep_database::{Error, Location, Migrations, Postgres, PostgresSettings, Step};
use barkeep_test_postgres::TestDatabase;
use sqlx::{Connection, Executor, PgConnection};

const FIRST: Step =
    Step { version: 1, sql: "CREATE TABLE barkeep.thing (id int PRIMARY KEY); INSERT INTO barkeep.thing VALUES (1)" };
const SECOND: Step = Step { version: 2, sql: "INSERT INTO barkeep.thing VALUES (2)" };
const BROKEN: Step =
    Step { version: 2, sql: "INSERT INTO barkeep.thing VALUES (3); INSERT INTO barkeep.nothing VALUES (4)" };
const ONE: Migrations = Migrations { component: "thing", steps: &[FIRST] };
const TWO: Migrations = Migrations { component: "thing", steps: &[FIRST, SECOND] };

async fn fresh() -> (TestDatabase, Postgres) {
    let server = TestDatabase::create().await;
    let database = Postgres::connect(server.url()).await.unwrap();
    (server, database)
}

fn settings(url: &str) -> PostgresSettings {
    let Location::Postgres(url) = url.parse().unwrap() else { panic!("{url} is a server's") };
    PostgresSettings::new(url)
}

async fn things(database: &Postgres) -> i64 {
    let mut connection = database.connection().await.unwrap();
    let count = database.sql("SELECT COUNT(*) FROM barkeep.thing");
    let things = sqlx::query_scalar(count).fetch_one(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    things
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_later_steps_follow() {
    let (_server, database) = fresh().await;
    database.migrate(&ONE).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    assert_eq!(things(&database).await, 1);
    database.migrate(&TWO).await.unwrap();
    assert_eq!(things(&database).await, 2);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_server, database) = fresh().await;
    database.migrate(&TWO).await.unwrap();
    let error = database.migrate(&ONE).await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { component: "thing", found: 2, known: 1 }), "{error:?}");
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_behind_not_even_a_lock() {
    let (_server, database) = fresh().await;
    database.migrate(&ONE).await.unwrap();
    let broken = Migrations { component: "thing", steps: &[FIRST, BROKEN] };
    assert_eq!(database.migrate(&broken).await.unwrap_err().code(), "SCHEMA_DRIFT");
    assert_eq!(things(&database).await, 1);
    let mut connection = database.connection().await.unwrap();
    let locks = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(sqlx::query_scalar::<_, i64>(locks).fetch_one(&mut *connection).await.unwrap(), 0);
    connection.finish().await.unwrap();
    database.migrate(&TWO).await.unwrap();
}

#[tokio::test]
async fn eight_processes_worth_of_migrations_at_once_all_succeed() {
    let server = TestDatabase::create().await;
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let url = server.url().to_owned();
            tokio::spawn(async move { Postgres::connect(&url).await?.migrate(&TWO).await })
        })
        .collect();
    for opener in openers {
        opener.await.unwrap().unwrap();
    }
    assert_eq!(things(&Postgres::connect(server.url()).await.unwrap()).await, 2);
}

#[tokio::test]
async fn a_role_without_the_right_to_create_can_start_on_tables_that_are_up_to_date() {
    let (server, database) = fresh().await;
    database.migrate(&ONE).await.unwrap();
    let role = format!("worker_{}", std::process::id());
    let mut owner = PgConnection::connect(server.url()).await.unwrap();
    let setup = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA barkeep TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA barkeep TO {role}"
    );
    owner.execute(sqlx::AssertSqlSafe(setup)).await.unwrap();
    let mut url: url::Url = server.url().parse().unwrap();
    url.set_username(&role).unwrap();
    let worker = Postgres::connect(url.as_str()).await.unwrap();
    worker.migrate(&ONE).await.unwrap();
    assert_eq!(worker.migrate(&TWO).await.unwrap_err().code(), "DATABASE_ACCESS_DENIED");
    worker.close().await;
    owner.execute(sqlx::AssertSqlSafe(format!("DROP OWNED BY {role}; DROP ROLE {role}"))).await.unwrap();
}

#[tokio::test]
async fn tables_may_live_in_another_schema_even_one_named_like_a_word_of_sql() {
    let server = TestDatabase::create().await;
    let chosen = settings(server.url()).with_schema("user".parse().unwrap());
    let (elsewhere, usual) =
        (Postgres::connect_with(chosen).await.unwrap(), Postgres::connect(server.url()).await.unwrap());
    elsewhere.migrate(&TWO).await.unwrap();
    usual.migrate(&ONE).await.unwrap();
    assert_eq!((things(&elsewhere).await, things(&usual).await), (2, 1));
}

#[tokio::test]
async fn a_closed_port_is_named_within_five_seconds_and_the_password_is_not() {
    // Nobody listens on a port of the system's own; a free one may be taken again by the test beside this one.
    let port = 1;
    let asked = Instant::now();
    let error = Postgres::connect(&format!("postgres://bars:canary@127.0.0.1:{port}/x")).await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(format!("{error:?}").contains("refused") && !format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up_within_five_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://127.0.0.1:{}/x?sslmode=disable", listener.local_addr().unwrap().port());
    let asked = Instant::now();
    let error = Postgres::connect(&url).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && asked.elapsed() < Duration::from_secs(5), "{error:?}");
}

#[tokio::test]
async fn a_server_elsewhere_is_not_spoken_to_in_plain_text() {
    // Answers 'N' to the request for TLS, as a server without it does. 127.1 is this machine too, but not under a name
    // that is taken for it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut client, _) = listener.accept().await.unwrap();
        let mut request = [0; 8];
        client.read_exact(&mut request).await.unwrap();
        client.write_all(b"N").await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        rest
    });
    let error = Postgres::connect(&format!("postgres://bars:canary@127.1:{port}/x")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(server.await.unwrap(), b"", "nothing may follow the refusal of TLS");
}

#[tokio::test]
async fn an_unknown_database_is_refused_access_not_called_unreachable() {
    let server = TestDatabase::create().await;
    let url = server.url().replace("/barkeep_", "/missing_");
    let error = Postgres::connect(&url).await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn a_dropped_transaction_changes_nothing() {
    let (_server, database) = fresh().await;
    database.migrate(&ONE).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("INSERT INTO barkeep.thing VALUES (7)").execute(&mut *transaction).await.unwrap();
    drop(transaction);
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("INSERT INTO barkeep.thing VALUES (8)").execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(things(&database).await, 1);
}

#[tokio::test]
async fn a_hung_server_process_costs_its_connection_and_not_the_pool() {
    let server = TestDatabase::create().await;
    let settings = settings(server.url()).with_timeout(Duration::from_secs(2)).with_connections(1);
    let database = Postgres::connect_with(settings).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let asked = Instant::now();
    let hung = database.bounded::<(), Error, _>(|| async {
        let mut connection = database.connection().await?;
        sqlx::query("SELECT pg_sleep(3600)").execute(&mut *connection).await?;
        connection.finish().await.unwrap();
        Ok(())
    });
    assert!(matches!(hung.await.unwrap_err(), Error::TimedOut { .. }));
    assert!(asked.elapsed() < Duration::from_secs(4));
    // The only connection was closed; the pool opens another one.
    for _ in 0..50 {
        if let Ok(mut connection) = database.connection().await {
            let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&mut *connection).await.unwrap();
            assert_eq!(one, 1);
            connection.finish().await.unwrap();
            return;
        }
    }
    panic!("the pool never recovered");
}

#[tokio::test]
async fn a_password_shows_in_no_debug() {
    let server = TestDatabase::create().await;
    let mut url: url::Url = server.url().parse().unwrap();
    url.set_password(Some("canary")).unwrap();
    let settings = settings(url.as_str());
    let shown = format!("{settings:?} {:?}", Postgres::connect_with(settings.clone()).await.unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_transaction_whose_client_froze_is_ended_by_the_server() {
    let server = TestDatabase::create().await;
    let settings = settings(server.url()).with_timeout(Duration::from_millis(300));
    let database = Postgres::connect_with(settings).await.unwrap();
    database.migrate(&ONE).await.unwrap();
    let mut frozen = database.begin().await.unwrap();
    frozen.execute("LOCK TABLE barkeep.thing").await.unwrap();
    // Nothing more is heard of it. Others wait for the lock no longer than that.
    let mut other = PgConnection::connect(server.url()).await.unwrap();
    let waiting = Instant::now();
    other.execute("DELETE FROM barkeep.thing").await.unwrap();
    assert!(waiting.elapsed() < Duration::from_secs(10), "{:?}", waiting.elapsed());
    assert!(frozen.execute("SELECT 1").await.is_err());
}
