//! A page is written by whoever holds its job's lease, and by nobody else. The leases are a table of the test's own.

use std::time::Duration;

use barkeep_database::SqliteSettings;
use uuid::Uuid;

use super::*;
use crate::Guard;
use crate::statements::PageStatements as _;

const JOB: i64 = 7;
const OURS: Uuid = Uuid::from_u128(1);
const IS_HELD: &str = "SELECT 1 FROM lease WHERE job = $1 AND token = $2";
const TAKE_OVER: &str = "UPDATE lease SET token = x'00000000000000000000000000000002' WHERE job = 7";

async fn open_with_lease() -> (SqliteStore, TempDir) {
    let (store, folder) = open().await;
    let create = "CREATE TABLE lease (job INTEGER PRIMARY KEY, token BLOB NOT NULL) STRICT;
        INSERT INTO lease VALUES (7, x'00000000000000000000000000000001')";
    run(&store, create).await.unwrap();
    (store, folder)
}

/// The same file, opened as another process would.
async fn another(store: &SqliteStore) -> SqliteStore {
    let settings = SqliteSettings::new(store.database.path()).with_timeout(Duration::from_secs(2));
    let database = Sqlite::open_with(settings).await.unwrap();
    SqliteStore::new(database, ProviderName::ALPACA)
}

fn guard() -> Guard {
    Guard::new(IS_HELD, JOB, OURS)
}

#[tokio::test]
async fn a_page_is_stored_while_its_lease_is_held() {
    let (store, _folder) = open_with_lease().await;
    let page = page(10).with_guard(guard());
    assert_eq!(store.commit(&page).await.unwrap().inserted, 10);
    assert_eq!(store.commit(&page).await.unwrap().unchanged, 10);
}

#[tokio::test]
async fn a_page_whose_lease_was_lost_leaves_nothing() {
    let (store, _folder) = open_with_lease().await;
    run(&store, TAKE_OVER).await.unwrap();
    let error = store.commit(&page(10).with_guard(guard())).await.unwrap_err();
    assert!(matches!(error, Error::LeaseLost { job: JOB }), "{error:?}");
    assert_eq!((error.code(), error.is_transient()), ("LEASE_LOST", false));
    assert_eq!(store.series().await.unwrap(), []);
    // Nor is a page that is stored already called a success.
    store.commit(&page(10)).await.unwrap();
    assert_eq!(store.commit(&page(10).with_guard(guard())).await.unwrap_err().code(), "LEASE_LOST");
}

#[tokio::test]
async fn a_lease_that_is_being_taken_over_is_lost() {
    let (store, _folder) = open_with_lease().await;
    let thief = another(&store).await;
    let mut other = thief.database.begin().await.unwrap();
    sqlx::query(TAKE_OVER).execute(&mut *other).await.unwrap();
    let guarded = page(10).with_guard(guard());
    // The page waits for the other's transaction before it looks at the lease.
    let (committed, taken) = tokio::join!(biased; store.commit(&guarded), other.commit());
    taken.unwrap();
    assert_eq!(committed.unwrap_err().code(), "LEASE_LOST");
    assert_eq!(store.series().await.unwrap(), []);
}

#[tokio::test]
async fn a_lease_cannot_be_taken_over_between_its_check_and_the_commit() {
    let (store, _folder) = open_with_lease().await;
    let thief = another(&store).await;
    let mut session = Statements::begin(&store.database).await.unwrap();
    assert!(session.holds(&guard()).await.unwrap());
    let taking = thief.database.bounded(async { run(&thief, TAKE_OVER).await }).await;
    assert_eq!(taking.unwrap_err().code(), "DATABASE_TIMEOUT");
    session.finish().await.unwrap();
    run(&thief, TAKE_OVER).await.unwrap();
    assert_eq!(store.commit(&page(10).with_guard(guard())).await.unwrap_err().code(), "LEASE_LOST");
}
