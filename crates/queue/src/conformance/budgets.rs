use std::time::Duration;

use super::Subject;
use crate::{Block, Grant, Rate};

const NAME: &str = "vendor";
const SECOND: Duration = Duration::from_secs(1);

/// A token a second, after a burst of 5, each good for 2 s.
async fn budget(queue: &dyn Subject) {
    let rate = Rate::new(13, 6 * SECOND).unwrap().with_burst(5).unwrap().with_hold(2 * SECOND).unwrap();
    assert_eq!(rate.interval(), SECOND);
    queue.set_budget(NAME, &rate).await.unwrap();
}

async fn granted(queue: &dyn Subject, wanted: u32) -> u32 {
    block(queue, wanted).await.tokens
}

async fn block(queue: &dyn Subject, wanted: u32) -> Block {
    match queue.reserve(NAME, wanted).await.unwrap() {
        Grant::Granted(block) => {
            assert_eq!(block.hold, 2 * SECOND);
            block
        }
        Grant::Wait { wait } => panic!("asked to wait {wait:?}"),
    }
}

/// How long a budget asks to wait: no longer than `most`, and less only by what has passed since the test began.
async fn waits(queue: &dyn Subject, most: Duration) -> Duration {
    let grant = queue.reserve(NAME, 1).await.unwrap();
    let Grant::Wait { wait } = grant else { panic!("{grant:?}") };
    assert!(wait <= most && wait + SECOND / 2 > most, "{wait:?} of {most:?}");
    wait
}

pub async fn a_budget_hands_out_its_burst_then_its_pace(queue: &dyn Subject) {
    budget(queue).await;
    assert_eq!(granted(queue, 100).await, 5);
    let wait = waits(queue, SECOND).await;
    queue.advance(wait);
    assert_eq!(granted(queue, 100).await, 1);
    queue.advance(3 * SECOND);
    assert_eq!(granted(queue, 2).await, 2, "no more than wanted");
    queue.advance(100 * SECOND);
    assert_eq!(granted(queue, 100).await, 5, "what was not asked for in time is not saved up");
}

pub async fn a_budget_is_shared(queue: &dyn Subject) {
    budget(queue).await;
    let asking = || queue.reserve(NAME, 2);
    let (a, b, c, d) = tokio::join!(asking(), asking(), asking(), asking());
    let tokens = |grant| match grant {
        Ok(Grant::Granted(block)) => block.tokens,
        Ok(Grant::Wait { .. }) => 0,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(tokens(a) + tokens(b) + tokens(c) + tokens(d), 5);
}

pub async fn tokens_that_were_not_spent_come_back(queue: &dyn Subject) {
    budget(queue).await;
    let five = block(queue, 5).await;
    queue.give_back(NAME, &Block { tokens: 3, ..five }).await.unwrap();
    assert_eq!(queue.budget(NAME).await.unwrap().unwrap().spent_today, 2);
    assert_eq!(granted(queue, 5).await, 3);
}

pub async fn tokens_that_come_back_late_are_not_given_twice(queue: &dyn Subject) {
    budget(queue).await;
    let old = block(queue, 5).await;
    queue.advance(20 * SECOND);
    assert_eq!(granted(queue, 5).await, 5, "they have been earned anew");
    queue.give_back(NAME, &old).await.unwrap();
    assert_eq!(queue.budget(NAME).await.unwrap().unwrap().available, 0);
}

pub async fn a_blocked_budget_hands_out_nothing(queue: &dyn Subject) {
    budget(queue).await;
    queue.block(NAME, 60 * SECOND).await.unwrap();
    queue.block(NAME, SECOND).await.unwrap();
    waits(queue, 60 * SECOND).await;
    assert!(queue.budget(NAME).await.unwrap().unwrap().blocked_until.is_some());
    queue.advance(60 * SECOND);
    assert_eq!(granted(queue, 5).await, 5);
    assert_eq!(queue.budget(NAME).await.unwrap().unwrap().blocked_until, None);
}

pub async fn a_day_has_its_own_limit(queue: &dyn Subject) {
    let rate = Rate::new(100, SECOND).unwrap().with_burst(50).unwrap().with_day_limit(60);
    queue.set_budget(NAME, &rate).await.unwrap();
    let noon = queue.now().await.unwrap();
    let midnight = (noon.date_naive() + chrono::Days::new(1)).and_time(chrono::NaiveTime::MIN).and_utc();
    // Begins a day, so that the test cannot run into midnight.
    queue.advance((midnight - noon).to_std().unwrap());
    let mut today = 0;
    while let Grant::Granted(block) = queue.reserve(NAME, 50).await.unwrap() {
        today += block.tokens;
        queue.advance(SECOND);
    }
    assert_eq!(today, 60);
    let state = queue.budget(NAME).await.unwrap().unwrap();
    assert_eq!((state.spent_today, state.day_limit), (60, Some(60)));
    let Grant::Wait { wait } = queue.reserve(NAME, 1).await.unwrap() else { panic!("the day is spent") };
    queue.advance(wait);
    assert!(matches!(queue.reserve(NAME, 50).await.unwrap(), Grant::Granted(Block { tokens: 50, .. })));
}

pub async fn a_budget_may_change_its_rate(queue: &dyn Subject) {
    budget(queue).await;
    assert_eq!(granted(queue, 5).await, 5);
    let faster = Rate::new(26, 6 * SECOND).unwrap().with_burst(10).unwrap().with_hold(2 * SECOND).unwrap();
    queue.set_budget(NAME, &faster).await.unwrap();
    // Of the new burst of 10 at a token every half second, the 5 s that the old tokens took are still owed.
    assert_eq!(queue.budget(NAME).await.unwrap().unwrap().available, 0);
    queue.advance(2 * SECOND);
    assert_eq!(granted(queue, 100).await, 4);
}

pub async fn an_unknown_budget_is_an_error(queue: &dyn Subject) {
    assert_eq!(queue.budget("nobody").await.unwrap(), None);
    let error = queue.reserve("nobody", 1).await.unwrap_err();
    assert_eq!(error.to_string(), "budget is not known; set its rate first");
    let block = Block { tokens: 1, hold: SECOND, ticket: 0 };
    assert!(queue.give_back("nobody", &block).await.is_err());
    assert!(queue.block("nobody", SECOND).await.is_err());
    budget(queue).await;
    assert!(queue.reserve(NAME, 0).await.is_err());
    assert!(Rate::new(1, SECOND).is_err() && Rate::new(9, Duration::ZERO).is_err());
    assert!(Rate::new(9, SECOND).unwrap().with_burst(9).is_err());
}
