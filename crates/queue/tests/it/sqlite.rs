use barkeep_database::Sqlite;
use barkeep_queue::SqliteQueue;
use tempfile::TempDir;

pub(crate) async fn queue() -> (SqliteQueue, TempDir) {
    let folder = TempDir::new().unwrap();
    let database = Sqlite::open(folder.path().join("queue.db")).await.unwrap();
    (SqliteQueue::open(&database).await.unwrap(), folder)
}

barkeep_queue::queue_conformance!(queue());
