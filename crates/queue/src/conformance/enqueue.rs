use std::time::Duration;

use serde_json::json;

use super::{KIND, Subject, claim, job, keys, leased, none, one};
use crate::{Completion, LiveState, NewJob, Release, Start};

pub async fn a_key_is_live_once(queue: &dyn Subject) {
    let first = queue.enqueue(&[job("a")]).await.unwrap();
    assert!(first[0].is_some());
    assert_eq!(queue.enqueue(&[job("a")]).await.unwrap(), [None], "while it is ready");
    let lease = one(queue).await;
    assert_eq!(queue.enqueue(&[job("a")]).await.unwrap(), [None], "while it runs");
    queue.release(&[Release::new(lease.key()).with_wait(Duration::from_secs(60))]).await.unwrap();
    assert_eq!(queue.enqueue(&[job("a")]).await.unwrap(), [None], "while it waits");
    assert_eq!(queue.live(KIND).await.unwrap().len(), 1);
}

pub async fn a_key_is_free_again_when_its_job_has_ended(queue: &dyn Subject) {
    let lease = leased(queue, job("a")).await;
    queue.complete(&[Completion::new(lease.key())]).await.unwrap();
    let again = queue.enqueue(&[job("a")]).await.unwrap();
    assert!(again[0].is_some_and(|id| id > lease.id));
}

pub async fn jobs_without_a_key_are_never_duplicates(queue: &dyn Subject) {
    let same = NewJob::new(KIND, json!(1));
    let ids = queue.enqueue(&[same.clone(), same]).await.unwrap();
    assert!(ids[0].is_some() && ids[0] < ids[1]);
}

pub async fn the_same_key_of_another_kind_is_another_job(queue: &dyn Subject) {
    let ids = queue.enqueue(&[job("a"), NewJob::new("other", json!(1)).with_key("a")]).await.unwrap();
    assert!(ids.iter().all(Option::is_some));
}

pub async fn a_batch_is_answered_in_the_order_asked(queue: &dyn Subject) {
    queue.enqueue(&[job("m")]).await.unwrap();
    let unkeyed = |number: i32| NewJob::new(KIND, json!(number));
    let batch = [job("z"), unkeyed(1), job("m"), job("a"), job("z"), unkeyed(2), job("b").with_priority(3)];
    let added = added(queue, &batch).await;
    assert_eq!(added, [true, true, false, true, false, true, true]);
}

pub async fn a_large_batch_is_answered_in_the_order_asked(queue: &dyn Subject) {
    let large = |first: i32| -> Vec<NewJob> {
        let jobs = (first..first + 100).rev().map(|number| match number % 10 {
            0 => NewJob::new(KIND, json!(number)),
            1 => NewJob::new("other", json!(number)).with_key(number.to_string()),
            _ => NewJob::new(KIND, json!(number)).with_key(number.to_string()),
        });
        jobs.collect()
    };
    assert_eq!(added(queue, &large(0)).await, [true; 100], "all are new");
    let are_new: Vec<bool> = (50..150).rev().map(|number| number >= 100 || number % 10 == 0).collect();
    assert_eq!(added(queue, &large(50)).await, are_new, "half of them have a key that is live");
    assert_eq!(queue.counts().await.unwrap()[KIND].live(), 140);
    let twice: Vec<NewJob> = large(200).into_iter().chain(large(200)).collect();
    let are_new: Vec<bool> = (0..200).map(|place| place < 100 || twice[place].key.is_none()).collect();
    assert_eq!(added(queue, &twice).await, are_new, "each key comes twice");
}

/// Adds jobs; which of them are new. Those have the id that was answered.
async fn added(queue: &dyn Subject, batch: &[NewJob]) -> Vec<bool> {
    let ids = queue.enqueue(batch).await.unwrap();
    for (job, id) in batch.iter().zip(&ids) {
        let Some(id) = id else { continue };
        let live = queue.live(&job.kind).await.unwrap();
        let found = live.iter().find(|live| live.id == *id).unwrap();
        assert_eq!((&found.key, &found.payload), (&job.key, &job.payload));
    }
    ids.iter().map(Option::is_some).collect()
}

pub async fn many_jobs_are_added_at_once(queue: &dyn Subject) {
    let jobs: Vec<NewJob> = (0..5_000).map(|number| job(&number.to_string())).collect();
    let ids = queue.enqueue(&jobs).await.unwrap();
    assert!(ids.iter().all(Option::is_some));
    assert_eq!(queue.counts().await.unwrap()[KIND].ready, 5_000);
    assert_eq!(queue.claim(&claim(5_000)).await.unwrap().len(), 5_000);
}

pub async fn a_delayed_job_waits_for_its_time(queue: &dyn Subject) {
    let minute = Duration::from_secs(60);
    let at = queue.now().await.unwrap() + 2 * minute;
    queue.enqueue(&[job("after").with_start(Start::After(minute)), job("at").with_start(Start::At(at))]).await.unwrap();
    none(queue).await;
    assert_eq!(queue.live(KIND).await.unwrap()[0].state, LiveState::Waiting);
    assert_eq!(queue.counts().await.unwrap()[KIND].waiting, 2);
    queue.advance(minute);
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["after"]);
    queue.advance(minute);
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["at"]);
}

pub async fn a_start_that_has_passed_means_now(queue: &dyn Subject) {
    let long_ago = queue.now().await.unwrap() - Duration::from_secs(3600);
    queue.enqueue(&[job("first")]).await.unwrap();
    queue.advance(Duration::from_secs(1));
    queue.enqueue(&[job("late").with_start(Start::At(long_ago))]).await.unwrap();
    assert_eq!(keys(&queue.claim(&claim(9)).await.unwrap()), ["first", "late"]);
}

pub async fn two_batches_in_opposite_order_do_not_block_each_other(queue: &dyn Subject) {
    let ahead: Vec<NewJob> = (0..500).map(|number| job(&number.to_string())).collect();
    let back: Vec<NewJob> = ahead.iter().rev().cloned().collect();
    let (one, other) = tokio::join!(queue.enqueue(&ahead), queue.enqueue(&back));
    let added = |ids: Vec<Option<_>>| ids.iter().flatten().count();
    assert_eq!(added(one.unwrap()) + added(other.unwrap()), 500);
}
