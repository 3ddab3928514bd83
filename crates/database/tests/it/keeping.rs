//! Connections kept for the next verb: no round trip is made for their sake, and none is lost.

use std::time::Duration;

use barkeep_database::{Connection, Error, Location, Postgres, PostgresSettings, Result};
use barkeep_test_postgres::{Server, Stop, TestDatabase};
use futures::FutureExt as _;
use sqlx::{Connection as _, PgConnection};

/// Longer than a connection is trusted: until then a call over one that broke fails as lost.
const RESTED: Duration = Duration::from_millis(1100);

async fn of_one_connection(url: &str) -> Postgres {
    let Location::Postgres(url) = url.parse().unwrap() else { panic!("{url} is a server's") };
    Postgres::connect_with(PostgresSettings::new(url).with_connections(1)).await.unwrap()
}

/// The server's process behind a connection.
async fn session(connection: &mut Connection<sqlx::Postgres>) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **connection).await.unwrap()
}

#[tokio::test]
async fn a_connection_given_back_is_there_for_the_next_verb_at_once() {
    let server = TestDatabase::create().await;
    let database = of_one_connection(server.url()).await;
    let mut connection = database.connection().await.unwrap();
    let first = session(&mut connection).await;
    connection.finish().await.unwrap();
    let mut next = database.connection().now_or_never().expect("nobody is asked for it").unwrap();
    assert_eq!(session(&mut next).await, first);
}

#[tokio::test]
async fn an_idle_connection_that_broke_is_replaced_before_anybody_sees_it() {
    let server = TestDatabase::create().await;
    let database = of_one_connection(server.url()).await;
    let mut connection = database.connection().await.unwrap();
    let broken = session(&mut connection).await;
    connection.finish().await.unwrap();
    let mut other = PgConnection::connect(server.url()).await.unwrap();
    sqlx::query("SELECT pg_terminate_backend($1)").bind(broken).execute(&mut other).await.unwrap();
    tokio::time::sleep(RESTED).await;
    let mut connection = database.connection().await.unwrap();
    assert_ne!(session(&mut connection).await, broken);
}

#[tokio::test]
async fn a_server_that_starts_is_waited_for() {
    let server = Server::start();
    let database = of_one_connection(&server.url()).await;
    database.connection().await.unwrap().finish().await.unwrap();
    let server = tokio::task::spawn_blocking(move || {
        server.stop(Stop::Fast);
        server
    });
    let server = server.await.unwrap();
    // As one that crashed leaves it: a socket that nobody listens to.
    let url = server.url();
    let (_, folder) = url.split_once("host=").unwrap();
    drop(std::os::unix::net::UnixListener::bind(format!("{folder}/.s.PGSQL.5432")).unwrap());
    tokio::time::sleep(RESTED).await;
    let resume = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(300));
        server.resume();
        server
    });
    let mut connection = database.connection().await.unwrap();
    assert!(session(&mut connection).await > 0);
    drop(resume.await.unwrap());
}

#[tokio::test]
async fn closing_waits_for_what_is_in_use_and_then_there_is_none() {
    let server = TestDatabase::create().await;
    let database = of_one_connection(server.url()).await;
    let mut connection = database.connection().await.unwrap();
    let mut closing = Box::pin(database.close());
    let late = database.connection();
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut closing).await.is_err(), "it is in use");
    assert!(session(&mut connection).await > 0);
    let (finished, (), late): (Result<()>, (), _) = tokio::join!(connection.finish(), closing, late);
    finished.unwrap();
    assert!(matches!(late.unwrap_err(), Error::Lost(_)));
    let mut other = PgConnection::connect(server.url()).await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut left = i64::MAX;
    for _ in 0..100 {
        left = sqlx::query_scalar(open).fetch_one(&mut other).await.unwrap();
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{left} sessions are open");
}

#[tokio::test]
async fn whoever_waits_gets_one_in_the_order_of_asking_and_in_time() {
    let server = TestDatabase::create().await;
    let Location::Postgres(url) = server.url().parse().unwrap() else { panic!("it is a server's") };
    let settings = PostgresSettings::new(url).with_connections(1).with_timeout(Duration::from_secs(2));
    let database = Postgres::connect_with(settings).await.unwrap();
    let held = database.connection().await.unwrap();
    let mut first = Box::pin(database.connection());
    assert!((&mut first).now_or_never().is_none());
    let mut second = Box::pin(database.connection());
    assert!((&mut second).now_or_never().is_none());
    held.finish().await.unwrap();
    assert!((&mut second).now_or_never().is_none(), "the first has asked before");
    let held = first.await.unwrap();
    assert!(matches!(second.await.unwrap_err(), Error::Busy(_)));
    held.finish().await.unwrap();
}
