//! Many workers on one SQLite file, eight in each of two processes: no call is answered that the file is busy.

use barkeep_database::Sqlite;
use barkeep_queue::{Claim, Completion, Inspect, NewJob, Queue, SqliteQueue};
use serde_json::json;

use crate::crash::process::{Place, WorkerProcess};

const KIND: &str = "test";

/// Eight loops of claiming and completing, until nothing is left; how many jobs they did. Any error fails the test.
async fn drain_by_eight(queue: &SqliteQueue) -> u64 {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let queue = queue.clone();
        workers.spawn(async move {
            let claim = Claim::new(KIND, "one of eight").with_limit(5);
            let mut done = 0;
            loop {
                let leases = queue.claim(&claim).await.unwrap();
                if leases.is_empty() {
                    return done;
                }
                let completions: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
                assert_eq!(queue.complete(&completions).await.unwrap(), [], "no lease is lost");
                done += leases.len() as u64;
            }
        });
    }
    workers.join_all().await.into_iter().sum()
}

async fn fill(queue: &SqliteQueue, jobs: u64) {
    let jobs: Vec<NewJob> = (0..jobs).map(|number| NewJob::new(KIND, json!(number))).collect();
    queue.enqueue(&jobs).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_of_a_process_never_find_the_file_busy() {
    let (queue, _guard) = crate::sqlite::queue().await;
    fill(&queue, 2_000).await;
    assert_eq!(drain_by_eight(&queue).await, 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_of_eight_workers_never_find_the_file_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let queue = SqliteQueue::open(&Sqlite::open(&path).await.unwrap()).await.unwrap();
    fill(&queue, 4_000).await;
    let start = |_| WorkerProcess::start_as("crowd::be_eight_workers", &Place::Sqlite(path.clone()));
    let mut processes: Vec<_> = (0..2).map(start).collect();
    for process in &mut processes {
        process.wait_for("ready");
    }
    processes.iter_mut().for_each(WorkerProcess::go_on);
    let done = processes.iter_mut().map(|process| {
        let line = process.wait_for("did ");
        line.trim_start_matches("did ").parse::<u64>().unwrap()
    });
    assert_eq!(done.sum::<u64>(), 4_000, "each once");
    assert_eq!(queue.counts().await.unwrap()[KIND].succeeded, 4_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process of its own, started by the test above"]
async fn be_eight_workers() {
    let path = std::env::var(crate::crash::process::PLACE).unwrap();
    let queue = SqliteQueue::open(&Sqlite::open(path).await.unwrap()).await.unwrap();
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
    println!("did {}", drain_by_eight(&queue).await);
}
