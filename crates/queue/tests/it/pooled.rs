//! The suite once more, through a pooler that lends a connection for a transaction, and workers that have one connection.

use std::sync::Arc;

use barkeep_database::{Postgres, PostgresSettings};
use barkeep_queue::{Ending, Inspect, Job, NewJob, PostgresQueue, Queue, Worker};
use barkeep_test_postgres::{Pooler, TestDatabase};
use serde_json::json;

async fn start() -> (Pooler, TestDatabase) {
    let test = TestDatabase::create().await;
    (Pooler::before(&test), test)
}

async fn open(pooler: &Pooler, connections: u32) -> PostgresQueue {
    let url = format!("{}&pooler=transaction", pooler.url()).parse().unwrap();
    let settings = PostgresSettings::new(url).with_connections(connections);
    PostgresQueue::open(&Postgres::connect_with(settings).await.unwrap()).await.unwrap()
}

pub(crate) async fn queue() -> (PostgresQueue, (Pooler, TestDatabase)) {
    let scene = start().await;
    (open(&scene.0, 10).await, scene)
}

barkeep_queue::queue_conformance!(queue());

async fn nothing(job: Job) -> Ending {
    job.done().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_behind_a_pooler_share_its_few_servers() {
    let (pooler, _test) = start().await;
    let mut queues = Vec::new();
    for connections in [1, 10, 10] {
        queues.push(Arc::new(open(&pooler, connections).await));
    }
    let jobs: Vec<NewJob> = (0..500).map(|number| NewJob::new("test", json!(number))).collect();
    queues[0].enqueue(&jobs).await.unwrap();
    let worker = |queue: &Arc<PostgresQueue>| Worker::new(queue.clone(), "test", nothing).with_concurrency(20);
    let working: Vec<_> =
        queues.iter().map(worker).map(|worker| tokio::spawn(async move { worker.run_until_idle().await })).collect();
    let mut done = 0;
    for worked in working {
        let worked = worked.await.unwrap().unwrap();
        assert_eq!((worked.failed, worked.lost), (0, 0), "{worked:?}");
        done += worked.done;
    }
    assert_eq!(done, 500, "each once");
    assert_eq!(queues[0].counts().await.unwrap()["test"].succeeded, 500);
}
