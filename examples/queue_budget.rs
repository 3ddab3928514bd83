//! Two workers, as two processes would, share a budget of 40 requests in any second.
//!
//!     cargo run -p examples --example queue_budget

use std::sync::Arc;
use std::time::{Duration, Instant};

use barkeep_database::Sqlite;
use barkeep_queue::{Budgets, Job, NewJob, Purse, Queue, Rate, SqliteQueue, Worker};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let queue = Arc::new(SqliteQueue::open(&Sqlite::open(folder.path().join("jobs.db")).await?).await?);
    queue.set_budget("vendor", &Rate::new(40, Duration::from_secs(1))?).await?;
    let jobs: Vec<NewJob> = (0..80).map(|number| NewJob::new("fetch", json!(number))).collect();
    queue.enqueue(&jobs).await?;

    let worker = |name: &str| {
        let purse = Purse::new(queue.clone(), "vendor").with_block(2);
        let fetch = move |job: Job| {
            let purse = purse.clone();
            async move {
                match purse.take().await {
                    Ok(()) => job.done().with_cost(1).into(), // One request would be sent here.
                    Err(error) => job.failed(error.code(), error.to_string()).into(),
                }
            }
        };
        Worker::new(queue.clone(), "fetch", fetch).with_name(name).with_concurrency(4)
    };
    let began = Instant::now();
    let (here, there) = (worker("here"), worker("there"));
    let (here, there) = tokio::try_join!(here.run_until_idle(), there.run_until_idle())?;
    let seconds = began.elapsed().as_secs_f64();
    println!("here did {}, there {}: {:.0} a second", here.done, there.done, 80.0 / seconds);
    Ok(())
}
