//! A page is written by whoever holds its job's lease, and by nobody else. The leases are a table of the test's own.

use uuid::Uuid;

use super::*;
use crate::Guard;

const JOB: i64 = 7;
const OURS: Uuid = Uuid::from_u128(1);
const IS_HELD: &str = "SELECT 1 FROM lease WHERE job = $1 AND token = $2 FOR SHARE";
const TAKE_OVER: &str = "UPDATE lease SET token = '00000000-0000-0000-0000-000000000002' WHERE job = 7";

async fn open_with_lease() -> (PostgresStore, TestDatabase) {
    let (store, server) = open().await;
    let create = "CREATE TABLE lease (job int8 PRIMARY KEY, token uuid NOT NULL);
        INSERT INTO lease VALUES (7, '00000000-0000-0000-0000-000000000001')";
    run(&store, create).await.unwrap();
    (store, server)
}

fn guarded(minutes: i64) -> Commit {
    page(minutes).with_guard(Guard::new(IS_HELD, JOB, OURS))
}

#[tokio::test]
async fn a_page_is_stored_while_its_lease_is_held() {
    let (store, _server) = open_with_lease().await;
    assert_eq!(store.commit(&guarded(10)).await.unwrap().inserted, 10);
    assert_eq!(store.commit(&guarded(10)).await.unwrap().unchanged, 10);
}

#[tokio::test]
async fn a_page_whose_lease_was_lost_leaves_nothing() {
    let (store, _server) = open_with_lease().await;
    run(&store, TAKE_OVER).await.unwrap();
    let mut spoiled = guarded(10);
    spoiled.bars[0].1[3].low = f64::NAN;
    let before = versions(&store).await;
    let error = store.commit(&spoiled).await.unwrap_err();
    assert!(matches!(error, Error::LeaseLost { job: JOB }), "{error:?}");
    assert_eq!((error.code(), error.is_transient()), ("LEASE_LOST", false));
    assert_eq!(versions(&store).await, before);
    // Nor is a page that is stored already called a success.
    store.commit(&page(10)).await.unwrap();
    assert_eq!(store.commit(&guarded(10)).await.unwrap_err().code(), "LEASE_LOST");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_being_taken_over_is_lost() {
    let (store, _server) = open_with_lease().await;
    let mut other = store.database.begin().await.unwrap();
    sqlx::query(TAKE_OVER).execute(&mut *other).await.unwrap();
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(&guarded(10)).await }
    });
    until_it_waits(&store, &committing).await;
    other.commit().await.unwrap();
    assert_eq!(committing.await.unwrap().unwrap_err().code(), "LEASE_LOST");
    assert_eq!(store.series().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_cannot_be_taken_over_between_its_check_and_the_commit() {
    let (store, _server) = open_with_lease().await;
    store.commit(&page(1)).await.unwrap();
    // The page gets past its guard, and then waits for its series.
    let mut in_the_way = store.database.begin().await.unwrap();
    sqlx::query("SELECT barkeep.store_lock(ARRAY[1])").execute(&mut *in_the_way).await.unwrap();
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(&guarded(10)).await }
    });
    until_it_waits(&store, &committing).await;
    // Who skips what is locked finds no lease to take, and who does not waits.
    let claimable = "SELECT count(*) FROM (SELECT 1 FROM lease FOR UPDATE SKIP LOCKED) AS lease";
    assert_eq!(number(&store, claimable).await, 0);
    let impatient = run(&store, "SET LOCAL lock_timeout = '50ms'; UPDATE lease SET token = gen_random_uuid()").await;
    assert_eq!(impatient.unwrap_err().code(), "DATABASE_BUSY");
    in_the_way.commit().await.unwrap();
    assert_eq!(committing.await.unwrap().unwrap().inserted, 9);
    run(&store, TAKE_OVER).await.unwrap();
    assert_eq!(store.commit(&guarded(20)).await.unwrap_err().code(), "LEASE_LOST");
    assert_eq!(store.bars(&series(), page(20).asked, usize::MAX).await.unwrap(), page(10).bars[0].1);
}
