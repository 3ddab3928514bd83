//! The job queue without the rest of barkeep: jobs added, failed, tried again and done, in a SQLite file.
//!
//!     cargo run -p examples --example queue_alone

use std::sync::Arc;
use std::time::Duration;

use barkeep_database::Sqlite;
use barkeep_queue::{Ending, Inspect, Job, NewJob, Queue, SqliteQueue, Then, Worker};
use serde_json::json;

/// Fails the first time, as things do.
async fn greet(job: Job) -> Ending {
    if job.attempt == 1 && job.payload["shy"] == true {
        return job.failed("SHY", "not yet").then(Then::After(Duration::from_millis(20))).into();
    }
    println!("hello, {} (attempt {})", job.payload["name"], job.attempt);
    job.done().with_cost(1).into()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let queue = Arc::new(SqliteQueue::open(&Sqlite::open(folder.path().join("jobs.db")).await?).await?);

    let job = |name: &str, shy: bool| NewJob::new("greet", json!({"name": name, "shy": shy})).with_key(name);
    queue.enqueue(&[job("Ada", false), job("Blaise", true), job("Alan", false).with_priority(1)]).await?;
    let again = queue.enqueue(&[job("Ada", false)]).await?;
    println!("Ada was added again: {}", again[0].is_some());

    let worker = Worker::new(queue.clone(), "greet", greet);
    while queue.counts().await?["greet"].live() > 0 {
        worker.run_until_idle().await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let counts = queue.counts().await?["greet"];
    println!("{} succeeded, {} failed", counts.succeeded, counts.failed);
    Ok(())
}
