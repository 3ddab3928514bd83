use std::time::Duration;

use super::{AGE, KIND, LEASE, Subject, claim, job, keys, leased, none};
use crate::{Completion, Extension, Failure, LiveState, Outcome, Pause, Release, Select, Then, Verdict};

pub async fn a_waiting_job_is_cancelled_at_once(queue: &dyn Subject) {
    let ids = queue.enqueue(&[job("a"), job("b")]).await.unwrap();
    let cancelled = queue.cancel(&Select::jobs(ids[0])).await.unwrap();
    assert_eq!((cancelled.ended, cancelled.asked), (1, 0));
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["b"]);
    let ended = &queue.finished(&[ids[0].unwrap()]).await.unwrap()[0];
    assert_eq!((ended.outcome, ended.code.as_deref()), (Outcome::Cancelled, Some("CANCELLED")));
    assert_eq!(ended.payload, job("a").payload);
    assert_eq!(queue.counts().await.unwrap()[KIND].cancelled, 1);
    assert!(queue.enqueue(&[job("a")]).await.unwrap()[0].is_some(), "its key is free again");
}

pub async fn a_running_job_is_asked_to_stop(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    let cancelled = queue.cancel(&Select::all().of_kind(KIND)).await.unwrap();
    assert_eq!((cancelled.ended, cancelled.asked), (0, 1));
    assert_eq!(queue.extend(&[lease.key()], LEASE).await.unwrap(), [Extension::CancelRequested]);
    assert_eq!(queue.release(&[Release::new(lease.key())]).await.unwrap(), []);
    none(queue).await;
    assert_eq!(queue.failed(KIND, 9).await.unwrap()[0].outcome, Outcome::Cancelled);

    let failing = leased(queue, job("b")).await;
    queue.cancel(&Select::jobs([failing.id])).await.unwrap();
    assert_eq!(queue.fail(&[Failure::new(failing.key(), "X", "")]).await.unwrap(), [Verdict::Cancelled]);
    assert_eq!(queue.live(KIND).await.unwrap(), []);
}

pub async fn a_cancelled_job_that_was_done_all_the_same_is_done(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    queue.cancel(&Select::all()).await.unwrap();
    assert_eq!(queue.complete(&[Completion::new(lease.key())]).await.unwrap(), []);
    assert_eq!(queue.finished(&[lease.id]).await.unwrap()[0].outcome, Outcome::Succeeded);
}

pub async fn a_cancelled_job_whose_worker_died_ends(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    queue.cancel(&Select::all()).await.unwrap();
    queue.advance(AGE);
    assert_eq!(queue.reap().await.unwrap().ended, 1);
    let ended = &queue.finished(&[lease.id]).await.unwrap()[0];
    assert_eq!((ended.outcome, ended.crashes), (Outcome::Cancelled, 1));
}

pub async fn jobs_are_selected_by_all_conditions_given(queue: &dyn Subject) {
    let jobs = [job("a").with_group("g"), job("b").with_group("g"), job("c")];
    let ids = queue.enqueue(&jobs).await.unwrap();
    let failing = queue.claim(&claim(1)).await.unwrap();
    queue.fail(&[Failure::new(failing[0].key(), "X", "")]).await.unwrap();
    let first = Select::jobs(ids[0]);
    for other in [
        first.clone().of_kind("other"),
        first.clone().of_group("h"),
        first.clone().with_code("Y"),
        Select::jobs(ids[2]).of_group("g"),
        Select::jobs([]),
    ] {
        assert_eq!(queue.cancel(&other).await.unwrap().ended, 0, "{other:?}");
    }
    let exact = first.of_kind(KIND).of_group("g").with_code("X");
    assert_eq!(queue.cancel(&exact).await.unwrap().ended, 1);
    assert_eq!(queue.cancel(&Select::all().of_group("g")).await.unwrap().ended, 1);
    assert_eq!(queue.live(KIND).await.unwrap().len(), 1);
}

pub async fn another_priority_changes_the_order(queue: &dyn Subject) {
    let ids = queue.enqueue(&[job("a"), job("b"), job("c")]).await.unwrap();
    assert_eq!(queue.reprioritise(&Select::jobs(ids[2]), 9).await.unwrap(), 1);
    assert_eq!(queue.reprioritise(&Select::jobs(ids[2]), 9).await.unwrap(), 0, "it has it already");
    assert_eq!(queue.reprioritise(&Select::jobs(ids[0]), -9).await.unwrap(), 1);
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["c", "b", "a"]);
}

pub async fn a_running_job_comes_back_with_its_new_priority(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    queue.enqueue(&[job("b")]).await.unwrap();
    assert_eq!(queue.reprioritise(&Select::jobs([lease.id]), 1).await.unwrap(), 1);
    queue.release(&[Release::new(lease.key())]).await.unwrap();
    let leases = queue.claim(&claim(9)).await.unwrap();
    assert_eq!((keys(&leases), leases[0].priority), (vec!["a", "b"], 1));
}

pub async fn failed_jobs_are_given_back_by_code(queue: &dyn Subject) {
    for (key, code) in [("a", "FLAKY"), ("b", "FLAKY"), ("c", "HOPELESS")] {
        let lease = leased(queue, job(key).with_max_attempts(1).with_priority(3)).await;
        queue.fail(&[Failure::new(lease.key(), code, "why")]).await.unwrap();
    }
    assert_eq!(queue.retry_failed(&Select::all().of_kind(KIND).with_code("FLAKY")).await.unwrap(), 2);
    let live = queue.live(KIND).await.unwrap();
    assert_eq!((live[0].state, live[0].attempt, live[0].priority), (LiveState::Ready, 1, 3));
    let counts = queue.counts().await.unwrap()[KIND];
    assert_eq!((counts.ready, counts.failed), (2, 1));
    assert_eq!(queue.failed(KIND, 9).await.unwrap().len(), 1);
    let again = queue.claim(&claim(9)).await.unwrap();
    assert_eq!((keys(&again), &again[0].payload), (vec!["a", "b"], &job("a").payload));
    // They may fail, and be given back, once more.
    queue.fail(&[Failure::new(again[0].key(), "FLAKY", "")]).await.unwrap();
    assert_eq!(queue.retry_failed(&Select::jobs([again[0].id])).await.unwrap(), 1);
}

pub async fn a_failed_job_whose_key_is_live_again_stays(queue: &dyn Subject) {
    for _ in 0..2 {
        let lease = leased(queue, job("a")).await;
        queue.fail(&[Failure::new(lease.key(), "X", "").then(Then::Discard)]).await.unwrap();
    }
    assert_eq!(queue.retry_failed(&Select::all()).await.unwrap(), 1, "one of the two");
    assert_eq!(queue.retry_failed(&Select::all()).await.unwrap(), 0);
    assert_eq!(queue.failed(KIND, 9).await.unwrap().len(), 1);
}

pub async fn a_paused_kind_is_not_claimed(queue: &dyn Subject) {
    let lease = leased(queue, job("running")).await;
    let pause = Pause::Kind(KIND.to_owned());
    queue.pause(&pause).await.unwrap();
    queue.pause(&pause).await.unwrap();
    queue.enqueue(&[job("a")]).await.unwrap();
    none(queue).await;
    assert_eq!(queue.complete(&[Completion::new(lease.key())]).await.unwrap(), []);
    assert_eq!(queue.paused().await.unwrap(), std::slice::from_ref(&pause));
    assert!(queue.resume(&pause).await.unwrap());
    assert!(!queue.resume(&pause).await.unwrap());
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["a"]);
}

pub async fn a_paused_group_does_not_block_the_others(queue: &dyn Subject) {
    let jobs = [job("a").with_group("g").with_priority(9), job("b"), job("c").with_group("h")];
    queue.enqueue(&jobs).await.unwrap();
    let pause = Pause::Group("g".to_owned());
    queue.pause(&pause).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["b", "c"]);
    queue.resume(&pause).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["a"]);
}

pub async fn a_cancelled_job_tells_its_last_failure(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    queue.fail(&[Failure::new(lease.key(), "X", "why").then(Then::After(Duration::ZERO))]).await.unwrap();
    let lease = super::one(queue).await;
    queue.cancel(&Select::all()).await.unwrap();
    queue.release(&[Release::new(lease.key())]).await.unwrap();
    let ended = &queue.failed(KIND, 9).await.unwrap()[0];
    assert_eq!((ended.outcome, ended.failures), (Outcome::Cancelled, 1));
    assert_eq!((ended.code.as_deref(), ended.message.as_deref()), (Some("X"), Some("why")));
}
