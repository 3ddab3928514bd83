use barkeep_queue::{Claim, MemoryQueue, NewJob, Queue};

use super::*;

/// Keys of so many slices.
async fn slices<const N: usize>() -> [LeaseKey; N] {
    let queue = MemoryQueue::new();
    let jobs: Vec<NewJob> = (0..N).map(|number| NewJob::new("slice", json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
    let leases = queue.claim(&Claim::new("slice", "test").with_limit(N as u16)).await.unwrap();
    std::array::from_fn(|index| leases[index].key())
}

async fn wait(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn after_each_pause_one_slice_tries_and_the_pauses_grow() {
    let (space, [slice]) = (Space::default(), slices().await);
    assert_eq!(space.claimable(), Claimable::Any);
    assert_eq!(space.missed_by(Writer::Work), Found::New(FIRST));
    assert_eq!(space.missed_by(Writer::Work), Found::Known, "of the others that run");
    let mut pauses = Vec::new();
    for _ in 0..9 {
        assert_eq!(space.claimable(), Claimable::None);
        wait(60).await;
        assert_eq!(space.claimable(), Claimable::One);
        assert_eq!(space.tried_with(Some(slice)), None);
        assert_eq!(space.claimable(), Claimable::None, "one is enough");
        let Found::Again(pause) = space.missed_by(Writer::Work) else { panic!("{space:?}") };
        pauses.push(pause.as_secs());
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60, 60]);
    wait(60).await;
    space.tried_with(Some(slice));
    assert_eq!(space.used_by(slice), Some(Duration::from_secs(600)));
    assert_eq!(space.claimable(), Claimable::Any);
}

#[tokio::test(start_paused = true)]
async fn what_others_store_meanwhile_proves_nothing() {
    let (space, [slice, other]) = (Space::default(), slices().await);
    space.missed_by(Writer::Work);
    assert_eq!(space.used_by(other), None, "it had room where another has none");
    wait(1).await;
    space.tried_with(Some(slice));
    assert_eq!(space.used_by(other), None);
    // It failed for another reason: the next one shall try.
    space.spared_by(&[slice]);
    assert_eq!(space.claimable(), Claimable::One);
}

#[tokio::test(start_paused = true)]
async fn with_nothing_left_to_do_it_is_over_for_whoever_found_it() {
    let space = Space::default();
    space.missed_by(Writer::Work);
    space.missed_by(Writer::Ending);
    wait(1).await;
    assert_eq!(space.tried_with(None), None, "an ending is not written yet");
    space.spared_by(&[]);
    assert_eq!(space.tried_with(None), Some(FIRST));

    wait(600).await;
    space.missed_by(Writer::Tick);
    wait(1).await;
    assert_eq!(space.tried_with(None), None, "slices are missing that could not be planned");
    assert_eq!(space.found_by_tick(), Some(FIRST));
    assert_eq!(space.claimable(), Claimable::Any);

    wait(600).await;
    space.missed_by(Writer::Tick);
    space.missed_by(Writer::Work);
    assert_eq!(space.found_by_tick(), None, "it had nothing to write");
}

#[tokio::test(start_paused = true)]
async fn space_that_is_gone_again_at_once_is_waited_for_longer() {
    let (space, [slice]) = (Space::default(), slices().await);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let Found::New(pause) = space.missed_by(Writer::Work) else { panic!("{space:?}") };
        pauses.push(pause.as_secs());
        tokio::time::advance(pause).await;
        space.tried_with(Some(slice));
        assert_eq!(space.used_by(slice), Some(pause));
    }
    assert_eq!(pauses, [1, 2, 4, 8]);
    wait(60).await;
    assert_eq!(space.missed_by(Writer::Work), Found::New(FIRST));
}
