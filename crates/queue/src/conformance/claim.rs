use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::{AGE, KIND, LEASE, Subject, claim, job, keys, leased};
use crate::{Claim, Failure, NewJob, Then};

pub async fn the_highest_priority_goes_first_then_the_oldest(queue: &dyn Subject) {
    queue.enqueue(&[job("low").with_priority(-7)]).await.unwrap();
    queue.enqueue(&[job("old")]).await.unwrap();
    queue.advance(Duration::from_secs(1));
    queue.enqueue(&[job("young"), job("high").with_priority(i16::MAX)]).await.unwrap();
    let leases = queue.claim(&claim(3)).await.unwrap();
    assert_eq!(keys(&leases), ["high", "old", "young"]);
    // What came in later and matters more is served before what was left behind.
    queue.enqueue(&[job("urgent").with_priority(1)]).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(3)).await.unwrap()), ["urgent", "low"]);
}

pub async fn a_job_is_leased_to_one_worker(queue: &dyn Subject) {
    let jobs: Vec<NewJob> = (0..100).map(|number| job(&number.to_string())).collect();
    queue.enqueue(&jobs).await.unwrap();
    let claim = claim(30);
    let claims = tokio::join!(queue.claim(&claim), queue.claim(&claim), queue.claim(&claim), queue.claim(&claim));
    let mut leases = Vec::new();
    for claimed in [claims.0, claims.1, claims.2, claims.3] {
        leases.extend(claimed.unwrap());
    }
    // Claims that run together step over each other's candidates, so the last of them may find fewer than there are.
    leases.extend(queue.claim(&claim).await.unwrap());
    let ids: BTreeSet<_> = leases.iter().map(|lease| lease.id).collect();
    assert_eq!((ids.len(), leases.len()), (100, 100));
}

pub async fn a_claim_takes_no_more_than_its_limit(queue: &dyn Subject) {
    queue.enqueue(&[job("a"), job("b"), job("c")]).await.unwrap();
    assert_eq!(queue.claim(&claim(0)).await.unwrap(), []);
    assert_eq!(queue.claim(&claim(2)).await.unwrap().len(), 2);
    assert_eq!(queue.claim(&claim(2)).await.unwrap().len(), 1);
    assert_eq!(queue.claim(&claim(2)).await.unwrap(), []);
}

pub async fn other_kinds_are_left_alone(queue: &dyn Subject) {
    queue.enqueue(&[NewJob::new("other", json!(1))]).await.unwrap();
    assert_eq!(queue.claim(&claim(9)).await.unwrap(), []);
    assert_eq!(queue.live(KIND).await.unwrap(), []);
    assert_eq!(queue.counts().await.unwrap()["other"].ready, 1);
    assert_eq!(queue.claim(&Claim::new("other", "worker")).await.unwrap().len(), 1);
}

pub async fn a_lease_tells_all_about_its_job(queue: &dyn Subject) {
    let payload = json!({"text": "naïve \"quotes\" \\u0000", "numbers": [1, -2.5, 1e300], "none": null});
    let new = NewJob::new(KIND, payload.clone()).with_key("k").with_group("g").with_priority(-3).with_max_attempts(2);
    let lease = leased(queue, new).await;
    assert_eq!((lease.kind.as_str(), lease.key.as_deref(), lease.group.as_deref()), (KIND, Some("k"), Some("g")));
    assert_eq!((&lease.payload, lease.priority), (&payload, -3));
    assert_eq!((lease.attempt, lease.max_attempts, lease.crashes), (1, 2, 0));
    assert!(lease.waited < Duration::from_secs(30), "{:?}", lease.waited);
    let held = (lease.until - queue.now().await.unwrap()).to_std().unwrap();
    assert!(held <= LEASE && held > LEASE - Duration::from_secs(30), "{held:?}");

    let failure = Failure::new(lease.key(), "BROKEN", "x").then(Then::After(Duration::ZERO));
    queue.fail(&[failure]).await.unwrap();
    queue.advance(AGE);
    let again = super::one(queue).await;
    assert_eq!((again.attempt, again.is_last_attempt()), (2, true));
    assert!(again.waited >= AGE && again.waited < AGE + Duration::from_secs(30), "{:?}", again.waited);
}
