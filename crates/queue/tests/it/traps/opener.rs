use std::process::{Child, Command, Stdio};

use barkeep_database::{Location, Postgres, Sqlite};
use barkeep_queue::{NewJob, PostgresQueue, Queue, SqliteQueue};
use serde_json::json;

pub(super) const KIND: &str = "opened";
const PLACE: &str = "BARKEEP_QUEUE_OPENER_PLACE";

/// Has so many processes open the queue at the same moment, each of which then adds a job.
pub(super) fn open_at_once(place: &str, processes: usize) {
    let start = |_| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "--nocapture", "traps::opener::be_an_opener"]).env(PLACE, place);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    };
    let mut openers: Vec<Child> = (0..processes).map(start).collect();
    // They wait for the end of their input.
    openers.iter_mut().for_each(|opener| drop(opener.stdin.take()));
    for mut opener in openers {
        assert!(opener.wait().unwrap().success());
    }
}

#[tokio::test]
#[ignore = "a process of its own, started by the test above"]
async fn be_an_opener() {
    let place: Location = std::env::var(PLACE).unwrap().parse().unwrap();
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
    let queue: Box<dyn Queue> = match place {
        Location::Postgres(url) => {
            Box::new(PostgresQueue::open(&Postgres::connect(url.as_str()).await.unwrap()).await.unwrap())
        }
        Location::Sqlite(file) => Box::new(SqliteQueue::open(&Sqlite::open(file).await.unwrap()).await.unwrap()),
    };
    queue.enqueue(&[NewJob::new(KIND, json!(1))]).await.unwrap();
}
