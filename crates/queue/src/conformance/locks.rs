use std::time::Duration;

use super::{LEASE, Subject};

pub async fn a_lock_has_one_holder(queue: &dyn Subject) {
    let lock = queue.lock("planner", "me", LEASE).await.unwrap().unwrap();
    assert_eq!(queue.lock("planner", "you", LEASE).await.unwrap(), None);
    assert_eq!(queue.lock("planner", "me", LEASE).await.unwrap(), None, "not even for its holder");
    assert!(queue.lock("another", "you", LEASE).await.unwrap().is_some());
    assert!(queue.unlock(&lock).await.unwrap());
    assert!(queue.lock("planner", "you", LEASE).await.unwrap().is_some());
}

pub async fn a_lock_outlives_its_holder_by_its_lease(queue: &dyn Subject) {
    let lock = queue.lock("planner", "me", LEASE).await.unwrap().unwrap();
    queue.advance(LEASE / 2);
    assert!(queue.extend_lock(&lock, LEASE).await.unwrap());
    queue.advance(LEASE / 2 + Duration::from_secs(1));
    assert_eq!(queue.lock("planner", "you", LEASE).await.unwrap(), None);
    queue.advance(LEASE / 2);
    assert!(queue.lock("planner", "you", LEASE).await.unwrap().is_some());
}

pub async fn a_lock_that_was_lost_cannot_be_extended_or_given_up(queue: &dyn Subject) {
    let mine = queue.lock("planner", "me", LEASE).await.unwrap().unwrap();
    queue.advance(2 * LEASE);
    assert!(queue.extend_lock(&mine, LEASE).await.unwrap(), "nobody has taken it");
    queue.advance(2 * LEASE);
    let yours = queue.lock("planner", "you", LEASE).await.unwrap().unwrap();
    assert!(!queue.extend_lock(&mine, LEASE).await.unwrap());
    assert!(!queue.unlock(&mine).await.unwrap());
    assert!(queue.extend_lock(&yours, LEASE).await.unwrap());
}
