//! Random histories, played to the reference model and to a real queue: every answer and every state must be the same.
//!
//! 300 histories a database by default; `PROPTEST_CASES=100000` plays more.

mod history;
mod player;

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use barkeep_queue::MemoryQueue;
use barkeep_queue::conformance::Subject;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use history::{Act, history};
use player::Player;

async fn play(subject: &dyn Subject, case: usize, history: &[Act]) -> Result<(), TestCaseError> {
    let model = MemoryQueue::new();
    let mut player = Player::new(&model, subject, format!("case-{case}"));
    for act in history {
        player.play(act).await?;
    }
    player.finish().await
}

/// Plays histories to one queue, one after the other, on a thread that may wait. After one that went wrong the next gets a
/// queue of its own: what it left behind would make others fail that are sound, and mislead the search for a shorter one.
fn play_histories<S: Subject, G, F: Future<Output = (S, G)>>(open: impl Fn() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let case = AtomicUsize::new(0);
    let opened = RefCell::new(None);
    let first = RefCell::new(None);
    let played = TestRunner::new(config).run(&history(), |history| {
        let case = case.fetch_add(1, Ordering::Relaxed);
        let (subject, guard) = opened.take().unwrap_or_else(|| runtime.block_on(open()));
        let played = runtime.block_on(play(&subject, case, &history));
        match &played {
            Ok(()) => drop(opened.replace(Some((subject, guard)))),
            Err(error) => drop(first.borrow_mut().get_or_insert_with(|| format!("{error} in {history:?}"))),
        }
        played
    });
    if let Err(shortest) = played {
        panic!("{shortest}\nfirst seen as: {}", first.take().unwrap_or_else(|| "a panic".to_owned()));
    }
}

#[test]
fn sqlite_does_what_the_model_does() {
    play_histories(crate::sqlite::queue);
}

#[test]
fn postgres_does_what_the_model_does() {
    play_histories(crate::postgres::queue);
}
