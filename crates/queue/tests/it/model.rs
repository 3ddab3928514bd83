//! Random histories, played to the reference model and to a real queue: every answer and every state must be the same.
//!
//! 2,000 histories a database by default; `PROPTEST_CASES=100000` plays more.

mod compare;
mod control;
mod history;
mod player;
mod seen;

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use barkeep_database::{Postgres, Sqlite};
use barkeep_queue::conformance::Subject;
use barkeep_queue::{MemoryQueue, PostgresQueue, SqliteQueue};
use barkeep_test_postgres::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use history::{Step, history};
use player::Player;

/// How many histories are played to one queue before the next gets a new one: what they leave behind makes it slow.
const SHARED_BY: usize = 50;

/// A real queue, seen through two handles, and whatever has to live as long.
struct Real<S, G> {
    handles: [S; 2],
    /// The shortest time that its clock tells.
    grain: Duration,
    _guard: G,
}

async fn play<S: Subject, G>(real: &Real<S, G>, case: usize, history: &[Step]) -> Result<(), TestCaseError> {
    let model = MemoryQueue::new();
    let handles = real.handles.iter().map(|handle| handle as &dyn Subject).collect();
    let mut player = Player::new(&model, handles, real.grain, &format!("case-{case}")).await;
    for step in history {
        player.play(step).await?;
    }
    player.finish().await
}

/// Plays histories to one queue, one after the other, on a thread that may wait. After one that went wrong the next gets a
/// queue of its own: what it left behind would make others fail that are sound, and mislead the search for a shorter one.
///
/// Several such threads play to as many queues: a server and its client take turns, and leave a processor idle.
fn play_histories<S: Subject, G, F: Future<Output = Real<S, G>>>(open: fn() -> F, threads: u32) {
    let cases: u32 = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || play_some(open, cases.div_ceil(threads)));
        }
    });
}

fn play_some<S: Subject, G, F: Future<Output = Real<S, G>>>(open: fn() -> F, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let case = AtomicUsize::new(0);
    let opened = RefCell::new(None);
    let first = RefCell::new(None);
    let played = TestRunner::new(config).run(&history(), |history| {
        let case = case.fetch_add(1, Ordering::Relaxed);
        let real = opened.take().unwrap_or_else(|| runtime.block_on(open()));
        let played = runtime.block_on(play(&real, case, &history));
        match &played {
            Ok(()) if !(case + 1).is_multiple_of(SHARED_BY) => drop(opened.replace(Some(real))),
            Ok(()) => {}
            Err(error) => drop(first.borrow_mut().get_or_insert_with(|| format!("{error} in {history:?}"))),
        }
        played
    });
    if let Err(shortest) = played {
        panic!("{shortest}\nfirst seen as: {}", first.take().unwrap_or_else(|| "a panic".to_owned()));
    }
}

async fn sqlite() -> Real<SqliteQueue, TempDir> {
    let folder = TempDir::new().unwrap();
    let open = async || {
        let database = Sqlite::open(folder.path().join("queue.db")).await.unwrap();
        SqliteQueue::open(&database).await.unwrap()
    };
    Real { handles: [open().await, open().await], grain: Duration::from_millis(1), _guard: folder }
}

async fn postgres() -> Real<PostgresQueue, TestDatabase> {
    let test = TestDatabase::create().await;
    let open = async || PostgresQueue::open(&Postgres::connect(test.url()).await.unwrap()).await.unwrap();
    // Microseconds, which pass by themselves. The clock is left alone then, so that a claim may start where the one before
    // it stopped.
    Real { handles: [open().await, open().await], grain: Duration::ZERO, _guard: test }
}

#[test]
fn sqlite_does_what_the_model_does() {
    play_histories(sqlite, 1);
}

#[test]
fn postgres_does_what_the_model_does() {
    play_histories(postgres, 2);
}
