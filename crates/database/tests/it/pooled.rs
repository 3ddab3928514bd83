//! PgBouncer between us and the server, which lends a server for a transaction.

use barkeep_database::{Error, Migrations, Postgres, Step};
use barkeep_test_postgres::{Pooler, TestDatabase};
use tokio::task::JoinSet;

const THINGS: Migrations = Migrations {
    component: "thing",
    steps: &[Step { version: 1, sql: "CREATE TABLE barkeep.thing (id int PRIMARY KEY)" }],
};

async fn start() -> (Pooler, TestDatabase) {
    let server = TestDatabase::create().await;
    (Pooler::before(&server), server)
}

async fn connect(pooler: &Pooler) -> Postgres {
    Postgres::connect(&format!("{}&pooler=transaction", pooler.url())).await.unwrap()
}

/// Twenty numbers, each by a statement of its own.
async fn count(database: Postgres) -> Result<i64, Error> {
    let mut sum = 0;
    for number in 0..20_i64 {
        let mut connection = database.connection().await?;
        sum += sqlx::query_scalar::<_, i64>("SELECT $1").bind(number).fetch_one(&mut *connection).await?;
        connection.finish().await?;
    }
    Ok(sum)
}

#[tokio::test]
async fn eight_migrate_at_once_through_a_pooler() {
    let (pooler, _server) = start().await;
    let mut migrating = JoinSet::new();
    for _ in 0..8 {
        let database = connect(&pooler).await;
        migrating.spawn(async move { database.migrate(&THINGS).await });
    }
    assert!(migrating.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn more_callers_than_the_pooler_has_servers_each_get_their_own_answers() {
    let (pooler, _server) = start().await;
    let mut counting = JoinSet::new();
    for _ in 0..8 {
        counting.spawn(count(connect(&pooler).await));
    }
    assert!(counting.join_all().await.into_iter().all(|sum| sum.unwrap() == 190));
}

#[tokio::test]
async fn what_single_statements_write_is_there_once_they_are_finished() {
    let (pooler, _server) = start().await;
    let database = connect(&pooler).await;
    database.migrate(&THINGS).await.unwrap();
    let insert = async |number: i32| {
        let mut connection = database.connection().await.unwrap();
        let insert = sqlx::query("INSERT INTO barkeep.thing VALUES ($1)").bind(number);
        insert.execute(&mut *connection).await.unwrap();
        connection
    };
    insert(1).await.finish().await.unwrap();
    drop(insert(2).await);
    let mut connection = connect(&pooler).await.connection().await.unwrap();
    let things =
        sqlx::query_scalar::<_, i32>("SELECT id FROM barkeep.thing").fetch_all(&mut *connection).await.unwrap();
    assert_eq!(things, [1]);
}

#[tokio::test]
async fn a_pooler_that_the_url_does_not_name_is_recognised_and_the_cure_is_told() {
    let (pooler, _server) = start().await;
    let mut counting = JoinSet::new();
    for _ in 0..8 {
        // May fail already at looking at the server.
        let database = Postgres::connect(&pooler.url()).await;
        counting.spawn(async move { count(database?).await });
    }
    let errors: Vec<Error> = counting.join_all().await.into_iter().filter_map(Result::err).collect();
    let error = errors.iter().find(|error| error.code() == "DATABASE_POOLED").unwrap_or_else(|| panic!("{errors:?}"));
    assert!(error.to_string().contains("pooler=transaction"), "{error}");
}

#[tokio::test]
async fn another_word_for_the_pooler_is_refused() {
    let error = Postgres::connect("postgres://h/db?pooler=session").await.unwrap_err();
    assert!(matches!(error, Error::Location(_)) && error.to_string().contains("transaction"), "{error}");
}
