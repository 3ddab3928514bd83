//! Random histories: definitions that come, change their form and go, ticks, workers that are interrupted, die, or work two
//! processes at once, a vendor that fails, refuses and revises, people who pause, doubt, forget and repair. After every act no
//! bar is wrong and no time is asked for twice; at the end nothing is missing. The same history is played on SQLite and on
//! PostgreSQL.
//!
//! 12 histories by default; `PROPTEST_CASES=1000` plays more.

mod act;
mod player;

use act::{Act, act};
use player::Player;
use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};
use tests::Kind;

async fn play(kind: Kind, history: &[Act]) {
    let player = Player::on(kind).await;
    for act in history {
        player.play(act).await;
        player.invariants().await;
    }
    player.finish().await;
}

#[test]
fn any_history_ends_complete_on_both_databases() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    TestRunner::new(config)
        .run(&vec(act(), 8..24), |history| {
            runtime.block_on(async {
                tokio::join!(play(Kind::Sqlite, &history), play(Kind::Postgres, &history));
            });
            Ok(())
        })
        .unwrap();
}
