//! What several processes may do together, and no more.

use std::sync::Arc;
use std::time::Duration;

use barkeep_queue::conformance::Subject;
use barkeep_queue::{NewJob, Rate, Scope};
use serde_json::json;

use crate::crash::process::{Place, WorkerProcess};
use crate::crash::{KIND, until};
use crate::tally::Tally;

const PROCESSES: usize = 4;

async fn done(queue: &dyn Subject, jobs: u64) {
    until("every job is done", || async { queue.counts().await.unwrap()[KIND].succeeded == jobs }).await;
}

async fn keeps_to_its_caps(queue: Arc<dyn Subject>, place: Place) {
    // Half of the jobs in a group of its own cap, to be passed over while that is full.
    let job = |number: u32| {
        let new = NewJob::new(KIND, json!(number));
        if number.is_multiple_of(2) { new.with_group("even") } else { new }
    };
    queue.enqueue(&(0..400).map(job).collect::<Vec<_>>()).await.unwrap();
    queue.set_cap(&Scope::All, Some(7)).await.unwrap();
    queue.set_cap(&Scope::Group("even".to_owned()), Some(3)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Counting(Box::new(place), folder.path().to_owned());
    let workers: Vec<_> = (0..PROCESSES).map(|_| WorkerProcess::start(&place)).collect();
    done(&*queue, 400).await;
    drop(workers);
    let most = Tally::in_folder(folder.path()).most();
    assert!((2..=7).contains(&most), "{most} ran at once");
    assert!(queue.caps().await.unwrap().iter().all(|cap| cap.running == 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_on_sqlite_never_run_more_than_a_cap_allows() {
    let (queue, folder) = crate::sqlite::queue().await;
    keeps_to_its_caps(Arc::new(queue), Place::Sqlite(folder.path().join("queue.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_on_postgres_never_run_more_than_a_cap_allows() {
    let (queue, test) = crate::postgres::queue().await;
    keeps_to_its_caps(Arc::new(queue), Place::Postgres(test.url().to_owned())).await;
}

async fn keeps_to_its_budget(queue: Arc<dyn Subject>, place: Place) {
    const LIMIT: u32 = 60;
    const WINDOW: Duration = Duration::from_secs(1);
    queue.set_budget("vendor", &Rate::new(LIMIT, WINDOW).unwrap()).await.unwrap();
    queue.enqueue(&(0..300).map(|number| NewJob::new(KIND, json!(number))).collect::<Vec<_>>()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Spending(Box::new(place), folder.path().to_owned());
    let workers: Vec<_> = (0..PROCESSES).map(|_| WorkerProcess::start(&place)).collect();
    done(&*queue, 300).await;
    drop(workers);
    let spans = Tally::in_folder(folder.path()).spans();
    assert_eq!(spans.len(), 300);
    for (from, _) in &spans {
        let spent = spans.iter().filter(|(since, until)| since >= from && *until < *from + WINDOW).count();
        assert!(spent <= LIMIT as usize, "{spent} in the second from {from:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_on_sqlite_never_spend_more_than_a_budget_in_any_window() {
    let (queue, folder) = crate::sqlite::queue().await;
    keeps_to_its_budget(Arc::new(queue), Place::Sqlite(folder.path().join("queue.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_on_postgres_never_spend_more_than_a_budget_in_any_window() {
    let (queue, test) = crate::postgres::queue().await;
    keeps_to_its_budget(Arc::new(queue), Place::Postgres(test.url().to_owned())).await;
}
