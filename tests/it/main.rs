//! The main job from end to end, on both databases.

mod backfill;
mod bad_input;
mod batches;
mod crash;
mod daemon;
mod derived;
mod features;
mod fresh;
mod history;
mod odd_input;
mod on_demand;
mod quality;
mod recorded;
mod rejection;
mod sampled;
mod schedules;
mod sharing;
mod unattended;

use tests::Child;

/// The example, as a process of its own.
fn start(arguments: &[&str]) -> Child {
    Child::start(env!("CARGO_BIN_EXE_backfill"), arguments)
}

/// Has every function of a module tested on both databases.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(tests::Kind::Sqlite).await; })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(tests::Kind::Postgres).await; })* }
    };
}

use on_both_databases;
