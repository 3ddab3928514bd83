use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use barkeep_database::{Postgres, Sqlite};
use barkeep_queue::{Job, PostgresQueue, Queue, SqliteQueue, Worker};

use super::{KIND, LEASE};

/// Where a worker process finds its queue.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(String),
    /// There too, but each job is held until the process is told to go on.
    Holding(Box<Place>),
}

const PLACE: &str = "BARKEEP_QUEUE_WORKER_PLACE";
const HOLDING: &str = "BARKEEP_QUEUE_WORKER_HOLDS";

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
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "--nocapture", "crash::process::be_a_worker"]);
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
    let queue: Arc<dyn Queue> = if place.starts_with("postgres") {
        Arc::new(PostgresQueue::open(&Postgres::connect(&place).await.unwrap()).await.unwrap())
    } else {
        Arc::new(SqliteQueue::open(&Sqlite::open(place).await.unwrap()).await.unwrap())
    };
    let work = move |job: Job| async move {
        if holds {
            println!("holding");
            let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
            told.await.unwrap().unwrap();
        }
        job.done().into()
    };
    let worker = Worker::new(queue, KIND, work)
        .with_lease(LEASE)
        .with_poll(Duration::from_millis(5), Duration::from_millis(20))
        .with_name("child");
    if holds {
        let worked = worker.run_until_idle().await.unwrap();
        println!("worked done {} lost {}", worked.done, worked.lost);
    } else {
        worker.run(tokio_util::sync::CancellationToken::new()).await.unwrap();
    }
}
