//! The same in a SQLite file: eight workers in this process, and in two processes at once.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use barkeep_database::Sqlite;
use barkeep_queue::SqliteQueue;
use tokio::process::Command;

use crate::load;

/// What a child is told to do, and on which file.
const CHILD: &str = "--drain-sqlite";

/// Prints the rates, and returns that of eight workers in a process.
pub async fn run(jobs: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("queue.db");
    let queue = open(&file).await;
    let began = Instant::now();
    load::add(&*queue, jobs).await;
    print("SQLite: enqueue, 1,000 at a time", jobs, began);
    let began = Instant::now();
    load::drain_by_workers(queue.clone(), None).await;
    let rate = print("SQLite: drain by 8 workers of 100", jobs, began);
    load::add(&*queue, jobs).await;
    let began = Instant::now();
    let (one, other) = tokio::join!(child(&file), child(&file));
    assert!(one && other, "both processes end well");
    load::assert_drained(&*queue).await;
    print("SQLite: the same by 2 processes", jobs, began);
    rate
}

/// Drains a file, if this process was started to do so.
pub async fn is_child() -> bool {
    let Some(file) = std::env::args().skip_while(|argument| argument != CHILD).nth(1) else { return false };
    load::work(open(Path::new(&file)).await, None).await;
    true
}

async fn open(file: &Path) -> Arc<SqliteQueue> {
    let database = Sqlite::open(file).await.expect("a file that can be written");
    Arc::new(SqliteQueue::open(&database).await.expect("a queue, or none yet"))
}

async fn child(file: &Path) -> bool {
    let own = std::env::current_exe().expect("a program has a path");
    let status = Command::new(own).arg(CHILD).arg(file).stdout(Stdio::null()).status().await;
    status.expect("it starts once more").success()
}

fn print(name: &str, jobs: usize, began: Instant) -> f64 {
    let rate = jobs as f64 / began.elapsed().as_secs_f64();
    println!("{name:<44} {rate:>8.0} jobs/s");
    rate
}
