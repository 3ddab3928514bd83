//! Transactions that are in each other's way, on a real server.

use std::sync::atomic::{AtomicU32, Ordering};

use barkeep_database::{Error, Postgres, Transaction};
use barkeep_test_postgres::TestDatabase;
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::Barrier;

type Result<T> = barkeep_database::Result<T>;

const SERIALIZABLE: &str = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";

/// Two rows, 1 and 2, of no value.
async fn two_rows() -> (Postgres, TestDatabase) {
    let server = TestDatabase::create().await;
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    connection.execute("CREATE TABLE thing AS SELECT id, 0 AS value FROM generate_series(1, 2) AS id").await.unwrap();
    (Postgres::connect(server.url()).await.unwrap(), server)
}

async fn raise(transaction: &mut Transaction<sqlx::Postgres>, id: i32) -> Result<()> {
    let raise = sqlx::query("UPDATE thing SET value = value + 1 WHERE id = $1").bind(id);
    raise.execute(&mut **transaction).await?;
    Ok(())
}

async fn values(server: &TestDatabase) -> Vec<i32> {
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    sqlx::query_scalar("SELECT value FROM thing ORDER BY id").fetch_all(&mut connection).await.unwrap()
}

#[tokio::test]
async fn of_two_that_lock_crosswise_both_get_through() {
    let (database, server) = two_rows().await;
    let (both_hold_one, tries) = (Barrier::new(2), AtomicU32::new(0));
    let raise_both = |first, second| {
        let (database, both_hold_one, tries) = (&database, &both_hold_one, &tries);
        database.bounded(move || async move {
            let mut transaction = database.begin_with("SET LOCAL deadlock_timeout = 20").await?;
            raise(&mut transaction, first).await?;
            // Those who come again are alone.
            if tries.fetch_add(1, Ordering::Relaxed) < 2 {
                both_hold_one.wait().await;
            }
            raise(&mut transaction, second).await?;
            transaction.commit().await
        })
    };
    let (one, other) = tokio::join!(raise_both(1, 2), raise_both(2, 1));
    one.unwrap();
    other.unwrap();
    assert_eq!(values(&server).await, [2, 2], "each once");
    assert_eq!(tries.load(Ordering::Relaxed), 3, "there was a deadlock, of one victim");
}

#[tokio::test]
async fn of_two_whose_transactions_no_order_explains_both_get_through() {
    let (database, server) = two_rows().await;
    let (both_have_read, tries) = (Barrier::new(2), AtomicU32::new(0));
    let copy_and_raise = |from: i32, to: i32| {
        let (database, both_have_read, tries) = (&database, &both_have_read, &tries);
        database.bounded(move || async move {
            let mut transaction = database.begin_with(SERIALIZABLE).await?;
            let read = sqlx::query_scalar::<_, i32>("SELECT value + 1 FROM thing WHERE id = $1").bind(from);
            let value = read.fetch_one(&mut *transaction).await?;
            if tries.fetch_add(1, Ordering::Relaxed) < 2 {
                both_have_read.wait().await;
            }
            let write = sqlx::query("UPDATE thing SET value = $2 WHERE id = $1").bind(to).bind(value);
            write.execute(&mut *transaction).await?;
            transaction.commit().await
        })
    };
    let (one, other) = tokio::join!(copy_and_raise(1, 2), copy_and_raise(2, 1));
    one.unwrap();
    other.unwrap();
    let mut values = values(&server).await;
    values.sort_unstable();
    assert_eq!(values, [1, 2], "one after the other");
}

#[tokio::test]
async fn who_is_always_too_late_tries_six_times_and_is_told_that_the_database_is_busy() {
    let (database, server) = two_rows().await;
    let tries = AtomicU32::new(0);
    let late = database.bounded(|| async {
        tries.fetch_add(1, Ordering::Relaxed);
        let mut transaction = database.begin_with(SERIALIZABLE).await?;
        sqlx::query("SELECT value FROM thing").fetch_all(&mut *transaction).await?;
        let mut other = PgConnection::connect(server.url()).await?;
        other.execute("UPDATE thing SET value = value + 1").await?;
        raise(&mut transaction, 1).await?;
        transaction.commit().await
    });
    let error: Error = late.await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("DATABASE_BUSY", true));
    assert_eq!(tries.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn what_is_no_conflict_is_not_tried_again() {
    let (database, _server) = two_rows().await;
    let tries = AtomicU32::new(0);
    let refused = database.bounded(|| async {
        tries.fetch_add(1, Ordering::Relaxed);
        let mut transaction = database.begin_with("SET LOCAL lock_timeout = 1").await?;
        sqlx::query("SELECT 1 / 0").execute(&mut *transaction).await?;
        transaction.commit().await
    });
    let error: Error = refused.await.unwrap_err();
    assert_eq!((error.code(), tries.load(Ordering::Relaxed)), ("CONSTRAINT_VIOLATED", 1));
}

#[tokio::test]
async fn what_waited_for_a_lock_reads_on_whatever_isolation_the_host_has_for_a_default() {
    for default in ["serializable", "repeatable read"] {
        let (_, server) = two_rows().await;
        let mut host = PgConnection::connect(server.url()).await.unwrap();
        let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut host).await.unwrap();
        let by_default = format!("ALTER DATABASE {name} SET default_transaction_isolation = '{default}'");
        host.execute(sqlx::AssertSqlSafe(by_default)).await.unwrap();
        let database = Postgres::connect(server.url()).await.unwrap();
        let level = || sqlx::query_scalar::<_, String>("SHOW transaction_isolation");
        let mut transaction = database.begin().await.unwrap();
        assert_eq!(level().fetch_one(&mut *transaction).await.unwrap(), "read committed");
        transaction.commit().await.unwrap();
        let mut connection = database.connection().await.unwrap();
        assert_eq!(level().fetch_one(&mut *connection).await.unwrap(), "read committed");
        connection.finish().await.unwrap();
    }
}
