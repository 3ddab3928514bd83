use std::time::Duration;

use serde_json::{Value, json};

use super::{AGE, KIND, Subject, claim, job, keys, leased, none, one};
use crate::{Backoff, Completion, Failure, LiveState, Outcome, Release, Then, Verdict};

pub async fn a_completed_job_leaves_its_result_and_cost(queue: &dyn Subject) {
    let lease = leased(queue, job("a").with_group("g")).await;
    let done = Completion::new(lease.key()).with_result(json!({"bars": 7})).with_cost(3);
    assert_eq!(queue.complete(&[done]).await.unwrap(), []);
    assert_eq!(queue.live(KIND).await.unwrap(), []);
    let finished = queue.finished(&[lease.id]).await.unwrap();
    assert_eq!((finished.len(), finished[0].outcome), (1, Outcome::Succeeded));
    assert_eq!((&finished[0].result, finished[0].cost), (&json!({"bars": 7}), 3));
    assert_eq!((&finished[0].payload, finished[0].group.as_deref()), (&Value::Null, Some("g")));
    assert_eq!(finished[0].worker.as_deref(), Some("worker"));
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 1);
    assert_eq!(queue.failed(KIND, 9).await.unwrap(), []);
}

pub async fn a_failed_job_waits_twice_as_long_each_time(queue: &dyn Subject) {
    let backoff = Backoff::new(Duration::from_secs(8)).with_longest(Duration::from_secs(20));
    queue.enqueue(&[job("a")]).await.unwrap();
    for (failure, longest) in [(1, 8), (2, 16), (3, 20), (4, 20)] {
        let lease = one(queue).await;
        assert_eq!(lease.attempt, failure);
        let failed = Failure::new(lease.key(), "FLAKY", "again").then(Then::Backoff(backoff));
        let verdict = queue.fail(&[failed]).await.unwrap()[0];
        let Verdict::Retrying { wait } = verdict else { panic!("{verdict:?}") };
        let longest = Duration::from_secs(longest);
        assert!(wait <= longest && wait >= longest / 2, "{wait:?} after failure {failure}");
        let live = queue.live(KIND).await.unwrap();
        assert_eq!((live[0].state, live[0].code.as_deref()), (LiveState::Waiting, Some("FLAKY")));
        none(queue).await;
        queue.advance(wait + Duration::from_millis(1));
    }
}

pub async fn a_failed_job_waits_exactly_as_long_as_asked(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    let wait = Duration::from_secs(90);
    let failed = Failure::new(lease.key(), "RATE_LIMIT_EXCEEDED", "").then(Then::After(wait));
    assert_eq!(queue.fail(&[failed]).await.unwrap(), [Verdict::Retrying { wait }]);
    queue.advance(wait - Duration::from_secs(30));
    none(queue).await;
    queue.advance(Duration::from_secs(30));
    assert_eq!(one(queue).await.attempt, 2);
}

pub async fn the_last_attempt_ends_a_job(queue: &dyn Subject) {
    queue.enqueue(&[job("a").with_max_attempts(2)]).await.unwrap();
    let first = one(queue).await;
    let failed = |key| Failure::new(key, "BROKEN", "it broke").then(Then::After(Duration::ZERO));
    let retrying = Verdict::Retrying { wait: Duration::ZERO };
    assert_eq!(queue.fail(&[failed(first.key())]).await.unwrap(), [retrying]);
    let last = one(queue).await;
    assert!(last.is_last_attempt());
    assert_eq!(queue.fail(&[failed(last.key())]).await.unwrap(), [Verdict::Failed]);
    none(queue).await;
    let ended = &queue.failed(KIND, 9).await.unwrap()[0];
    assert_eq!((ended.id, ended.outcome, ended.failures), (first.id, Outcome::Failed, 2));
    assert_eq!((ended.code.as_deref(), ended.message.as_deref()), (Some("BROKEN"), Some("it broke")));
    assert_eq!(queue.counts().await.unwrap()[KIND].failed, 1);
}

pub async fn a_discarded_job_is_not_tried_again(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    let failed = Failure::new(lease.key(), "INVALID_SYMBOL", "no such thing").then(Then::Discard);
    assert_eq!(queue.fail(&[failed]).await.unwrap(), [Verdict::Failed]);
    assert_eq!(queue.live(KIND).await.unwrap(), []);
    let ended = &queue.failed(KIND, 1).await.unwrap()[0];
    assert_eq!((ended.failures, &ended.payload), (1, &json!({"for": "a"})));
}

pub async fn a_released_job_keeps_its_attempts(queue: &dyn Subject) {
    let lease = leased(queue, job("a").with_max_attempts(1)).await;
    assert_eq!(queue.release(&[Release::new(lease.key())]).await.unwrap(), []);
    let again = one(queue).await;
    assert_eq!((again.id, again.attempt, again.crashes), (lease.id, 1, 0));
}

pub async fn a_snoozed_job_waits_without_using_an_attempt(queue: &dyn Subject) {
    let lease = leased(queue, job("a").with_max_attempts(1)).await;
    let wait = Duration::from_secs(3600);
    queue.release(&[Release::new(lease.key()).with_wait(wait)]).await.unwrap();
    none(queue).await;
    assert_eq!(queue.counts().await.unwrap()[KIND].waiting, 1);
    queue.advance(wait);
    assert_eq!(one(queue).await.attempt, 1);
}

pub async fn a_lost_lease_does_not_disturb_the_others(queue: &dyn Subject) {
    let lost = leased(queue, job("lost")).await;
    queue.advance(AGE);
    queue.reap().await.unwrap();
    queue.enqueue(&[job("a"), job("b"), job("c")]).await.unwrap();
    let held = queue.claim(&claim(9)).await.unwrap();
    let key = |name: &str| held.iter().find(|lease| lease.key.as_deref() == Some(name)).unwrap().key();
    let answer = queue.complete(&[Completion::new(lost.key()), Completion::new(key("a"))]).await.unwrap();
    assert_eq!(answer, [lost.key()]);
    let failures = [Failure::new(key("b"), "X", ""), Failure::new(lost.key(), "X", "")];
    let verdicts = queue.fail(&failures).await.unwrap();
    assert!(matches!(verdicts[..], [Verdict::Retrying { .. }, Verdict::Lost]), "{verdicts:?}");
    let answer = queue.release(&[Release::new(lost.key()), Release::new(key("c"))]).await.unwrap();
    assert_eq!(answer, [lost.key()]);
    // The one that was lost belongs to the worker that claimed it anew.
    assert_eq!(queue.complete(&[Completion::new(key("lost"))]).await.unwrap(), []);
}

pub async fn a_key_is_spent_by_its_first_use(queue: &dyn Subject) {
    let done = leased(queue, job("a")).await.key();
    assert_eq!(queue.complete(&[Completion::new(done), Completion::new(done)]).await.unwrap(), []);
    assert_eq!(queue.complete(&[Completion::new(done)]).await.unwrap(), [done]);
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 1);
    let broken = leased(queue, job("b")).await.key();
    let failures = [Failure::new(broken, "X", ""), Failure::new(broken, "X", "")];
    let verdicts = queue.fail(&failures).await.unwrap();
    assert!(matches!(verdicts[..], [Verdict::Retrying { .. }, Verdict::Lost]), "{verdicts:?}");
    assert_eq!(queue.live(KIND).await.unwrap()[0].attempt, 2);
}

pub async fn what_was_left_undone_goes_back_with_its_parent(queue: &dyn Subject) {
    let lease = leased(queue, job("slice")).await;
    // The same key again: the parent frees it in the same transaction.
    let rest = vec![job("slice").with_priority(5), job("more")];
    queue.complete(&[Completion::new(lease.key()).with_rest(rest)]).await.unwrap();
    let rest = queue.claim(&claim(9)).await.unwrap();
    assert_eq!(keys(&rest), ["slice", "more"]);
    assert_eq!(rest[0].attempt, 1);
    queue.complete(&[Completion::new(rest[0].key())]).await.unwrap();
    assert_eq!(queue.finished(&[rest[0].id]).await.unwrap()[0].parent, Some(lease.id));
}

pub async fn what_was_left_undone_goes_back_once(queue: &dyn Subject) {
    let done = leased(queue, job("a")).await.key();
    let with_rest = |key| Completion::new(done).with_rest(vec![job(key)]);
    assert_eq!(queue.complete(&[with_rest("first"), with_rest("second")]).await.unwrap(), []);
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["first"]);
}

pub async fn nothing_is_left_undone_by_a_lost_lease(queue: &dyn Subject) {
    let lost = leased(queue, job("a")).await;
    queue.advance(AGE);
    queue.reap().await.unwrap();
    let done = Completion::new(lost.key()).with_rest(vec![job("rest")]);
    assert_eq!(queue.complete(&[done]).await.unwrap(), [lost.key()]);
    assert_eq!(queue.live(KIND).await.unwrap().len(), 1);
}

pub async fn nothing_is_left_undone_by_a_lost_lease_of_a_job_that_is_done(queue: &dyn Subject) {
    let lost = leased(queue, job("a")).await;
    queue.advance(AGE);
    queue.reap().await.unwrap();
    let held = one(queue).await;
    let done = [Completion::new(lost.key()).with_rest(vec![job("rest")]), Completion::new(held.key())];
    assert_eq!(queue.complete(&done).await.unwrap(), [lost.key()]);
    assert_eq!(queue.live(KIND).await.unwrap(), []);
}

pub async fn the_latest_failures_are_listed_first(queue: &dyn Subject) {
    for key in ["a", "b", "c"] {
        let lease = leased(queue, job(key)).await;
        queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::Discard)]).await.unwrap();
        queue.advance(Duration::from_secs(1));
    }
    let failed = queue.failed(KIND, 2).await.unwrap();
    let keys: Vec<_> = failed.iter().map(|job| job.key.as_deref().unwrap()).collect();
    assert_eq!(keys, ["c", "b"]);
}
