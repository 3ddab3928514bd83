//! Processes that open one new file at the same moment.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use barkeep_database::{Error, Migrations, Sqlite, Step};

const TABLE: Step = Step { version: 1, sql: "CREATE TABLE thing (id INTEGER PRIMARY KEY) STRICT" };
const ONE: Migrations = Migrations { component: "thing", steps: &[TABLE] };
const FOLDER: &str = "BARKEEP_DATABASE_OPENER_FOLDER";
/// How an opener says that it is there and how it fared. The test's own output may share its line.
const SAID: &str = "opener: ";

struct Opener {
    process: Child,
    starts: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Opener {
    fn start(folder: &std::path::Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "--nocapture", "openers::be_an_opener"]).env(FOLDER, folder);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (starts, says) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, starts, says }
    }

    fn says(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "an opener ended early");
            if let Some((_, said)) = line.split_once(SAID) {
                return said.trim().to_owned();
            }
        }
    }
}

#[test]
fn processes_that_open_a_new_file_at_once_all_succeed() {
    const PROCESSES: usize = 6;
    // The moment in which two are in each other's way is short: one file in some forty met it.
    const FILES: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let mut openers: Vec<Opener> = (0..PROCESSES).map(|_| Opener::start(folder.path())).collect();
    for number in 0..FILES {
        openers.iter_mut().for_each(|opener| assert_eq!(opener.says(), "ready"));
        openers.iter_mut().for_each(|opener| writeln!(opener.starts, "{number}").unwrap());
        for opener in &mut openers {
            assert_eq!(opener.says(), "opened", "file {number}");
        }
    }
    for Opener { mut process, starts, .. } in openers {
        drop(starts);
        assert!(process.wait().unwrap().success());
    }
}

#[tokio::test]
#[ignore = "a process of its own, started by the test above"]
async fn be_an_opener() {
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    let mut lines = std::io::stdin().lines();
    loop {
        println!("{SAID}ready");
        let Some(number) = lines.next() else { return };
        let opened = open(folder.join(number.unwrap())).await;
        println!("{SAID}{}", opened.map_or_else(|error| format!("{error:?}"), |()| "opened".to_owned()));
    }
}

async fn open(path: PathBuf) -> Result<(), Error> {
    let database = Sqlite::open(path).await?;
    database.migrate(&ONE).await?;
    database.close().await;
    Ok(())
}
