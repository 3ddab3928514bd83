use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use barkeep_database::{Postgres, Sqlite};
use barkeep_queue::conformance::Subject;
use barkeep_queue::{Budgets, Job, PostgresQueue, Purse, Queue, SqliteQueue, Worker};

use super::{KIND, LEASE};
use crate::tally::{Tally, now};

/// Where a worker process finds its queue.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(String),
    /// There too, but each job is held until the process is told to go on.
    Holding(Box<Place>),
    /// There too, but each job notes down in this folder how many run at once.
    Counting(Box<Place>, PathBuf),
    /// There too, but each job takes a token of the budget `vendor`, and notes down in this folder when it spends it.
    Spending(Box<Place>, PathBuf),
}

/// The variable that tells it to the process.
pub(crate) const PLACE: &str = "BARKEEP_QUEUE_WORKER_PLACE";
const HOLDING: &str = "BARKEEP_QUEUE_WORKER_HOLDS";
const COUNTING: &str = "BARKEEP_QUEUE_WORKER_COUNTS";
const SPENDING: &str = "BARKEEP_QUEUE_WORKER_SPENDS";

impl Place {
    pub(crate) fn holding(self) -> Self {
        Self::Holding(Box::new(self))
    }

    fn tell(&self, command: &mut Command) {
        match self {
            Self::Sqlite(path) => command.env(PLACE, path),
            Self::Postgres(url) => command.env(PLACE, url),
            Self::Holding(place) => {
                place.tell(command);
                command.env(HOLDING, "yes")
            }
            Self::Counting(place, folder) => {
                place.tell(command);
                command.env(COUNTING, folder)
            }
            Self::Spending(place, folder) => {
                place.tell(command);
                command.env(SPENDING, folder)
            }
        };
    }
}

/// A worker in a process of its own: this very test program, told to be one.
pub(crate) struct WorkerProcess {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl WorkerProcess {
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_as("crash::process::be_a_worker", place)
    }

    /// One that does what another of the ignored tests does.
    pub(crate) fn start_as(test: &str, place: &Place) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "--nocapture", test]);
        place.tell(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
    }

    pub(crate) fn stop(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Lets it finish the job that it holds.
    pub(crate) fn go_on(&mut self) {
        self.child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// The line that begins so, once the process has written it.
    pub(crate) fn wait_for(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if let Some(at) = line.find(beginning) {
                return line[at..].trim().to_owned();
            }
            line.clear();
        }
        panic!("the process ended before it wrote {beginning:?}");
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process of its own, started by the tests above"]
async fn be_a_worker() {
    let place = std::env::var(PLACE).unwrap();
    let holds = std::env::var(HOLDING).is_ok();
    let counting = std::env::var(COUNTING).ok().map(Tally::in_folder);
    let spending = std::env::var(SPENDING).ok().map(Tally::in_folder);
    let queue: Arc<dyn Subject> = if place.starts_with("postgres") {
        Arc::new(PostgresQueue::open(&Postgres::connect(&place).await.unwrap()).await.unwrap())
    } else {
        Arc::new(SqliteQueue::open(&Sqlite::open(place).await.unwrap()).await.unwrap())
    };
    // One after the other, so that it is known well when each token was spent.
    let concurrency = if spending.is_some() { 1 } else { 10 };
    // Of a lease that lapsed on a busy machine the job would run on for a while, beside whoever took its place: one too many.
    let lease = if counting.is_some() || spending.is_some() { 100 * LEASE } else { LEASE };
    let purse = Purse::new(queue.clone() as Arc<dyn Budgets>, "vendor").with_block(3);
    let work = move |job: Job| {
        let (counting, spending, purse) = (counting.clone(), spending.clone(), purse.clone());
        async move {
            if let Some(tally) = counting {
                tally.begin(job.id);
                tokio::time::sleep(Duration::from_millis(2)).await;
                tally.end(job.id);
            }
            if let Some(tally) = spending {
                let since = now();
                purse.take().await.unwrap();
                tally.note(since);
            }
            if holds {
                println!("holding");
                let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
                told.await.unwrap().unwrap();
            }
            job.done().into()
        }
    };
    let worker = Worker::new(queue as Arc<dyn Queue>, KIND, work)
        .with_concurrency(concurrency)
        .with_lease(lease)
        .with_poll(Duration::from_millis(5), Duration::from_millis(20))
        .with_name("child");
    if holds {
        let worked = worker.run_until_idle().await.unwrap();
        println!("worked done {} lost {}", worked.done, worked.lost);
    } else {
        worker.run(tokio_util::sync::CancellationToken::new()).await.unwrap();
    }
}
