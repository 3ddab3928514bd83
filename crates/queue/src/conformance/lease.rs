use std::time::Duration;

use serde_json::json;

use super::{AGE, KIND, LEASE, Subject, claim, job, leased, none, one};
use crate::{Completion, Extension, Failure, LiveState, NewJob, Outcome, Release, Verdict};

pub async fn a_lease_that_ran_out_is_taken_back(queue: &dyn Subject) {
    let first = leased(queue, job("a")).await;
    queue.advance(LEASE / 2);
    assert_eq!(queue.reap().await.unwrap(), Default::default(), "it still holds");
    queue.advance(LEASE / 2 + Duration::from_secs(1));
    none(queue).await;
    let reaped = queue.reap().await.unwrap();
    assert_eq!((reaped.returned, reaped.ended), (1, 0));
    assert_eq!(one(queue).await.id, first.id);
}

pub async fn a_lost_lease_changes_nothing(queue: &dyn Subject) {
    let stale = leased(queue, job("a")).await;
    queue.advance(AGE);
    queue.reap().await.unwrap();
    // Lost as soon as it is taken back, and not only when somebody else has it.
    for _ in 0..2 {
        let before = queue.live(KIND).await.unwrap();
        assert_eq!(queue.extend(&[stale.key()], LEASE).await.unwrap(), [Extension::Lost]);
        assert_eq!(queue.complete(&[Completion::new(stale.key())]).await.unwrap(), [stale.key()]);
        assert_eq!(queue.fail(&[Failure::new(stale.key(), "LATE", "")]).await.unwrap(), [Verdict::Lost]);
        assert_eq!(queue.release(&[Release::new(stale.key())]).await.unwrap(), [stale.key()]);
        assert_eq!(queue.live(KIND).await.unwrap(), before);
        queue.claim(&claim(1)).await.unwrap();
    }
    assert_eq!(queue.live(KIND).await.unwrap()[0].state, LiveState::Running);
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 0);
}

pub async fn an_extended_lease_holds(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    for _ in 0..3 {
        queue.advance(LEASE / 2);
        assert_eq!(queue.extend(&[lease.key()], LEASE).await.unwrap(), [Extension::Held]);
        queue.reap().await.unwrap();
    }
    assert_eq!(queue.complete(&[Completion::new(lease.key())]).await.unwrap(), []);
}

pub async fn a_lease_that_ran_out_can_be_extended_until_it_is_taken_back(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    queue.advance(AGE);
    assert_eq!(queue.extend(&[lease.key()], LEASE).await.unwrap(), [Extension::Held]);
    assert_eq!(queue.reap().await.unwrap(), Default::default());
    queue.advance(AGE);
    assert_eq!(queue.complete(&[Completion::new(lease.key())]).await.unwrap(), []);
}

pub async fn a_claim_of_the_same_job_has_another_token(queue: &dyn Subject) {
    let first = leased(queue, job("a")).await;
    queue.release(&[Release::new(first.key())]).await.unwrap();
    let second = one(queue).await;
    assert_eq!((first.id, first.attempt), (second.id, second.attempt));
    assert_ne!(first.token, second.token);
}

pub async fn a_crash_counts_apart_from_failures(queue: &dyn Subject) {
    leased(queue, job("a").with_max_attempts(1)).await;
    queue.advance(AGE);
    queue.reap().await.unwrap();
    let again = one(queue).await;
    assert_eq!((again.attempt, again.crashes), (1, 1));
}

pub async fn the_fifth_crash_ends_a_job(queue: &dyn Subject) {
    queue.enqueue(&[job("poison")]).await.unwrap();
    for crash in 1..=5 {
        one(queue).await;
        queue.advance(AGE);
        let reaped = queue.reap().await.unwrap();
        assert_eq!((reaped.returned, reaped.ended), if crash < 5 { (1, 0) } else { (0, 1) });
    }
    none(queue).await;
    let failed = queue.failed(KIND, 9).await.unwrap();
    assert_eq!((failed[0].outcome, failed[0].crashes), (Outcome::Failed, 5));
    assert_eq!(failed[0].code.as_deref(), Some("CRASHED"));
    assert_eq!(failed[0].payload, json!({"for": "poison"}));
}

pub async fn many_lapsed_leases_are_taken_back_at_once(queue: &dyn Subject) {
    let jobs: Vec<NewJob> = (0..2_500).map(|number| job(&number.to_string())).collect();
    queue.enqueue(&jobs).await.unwrap();
    queue.claim(&claim(2_500)).await.unwrap();
    queue.advance(AGE);
    assert_eq!(queue.reap().await.unwrap().returned, 2_500);
    assert_eq!(queue.counts().await.unwrap()[KIND].ready, 2_500);
}
