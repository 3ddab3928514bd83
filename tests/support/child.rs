use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

/// A run of the example as a process of its own.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on the way.
    pub stderr: String,
}

impl Outcome {
    /// The JSON object that it printed.
    ///
    /// # Panics
    ///
    /// If it printed anything else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Child {
    /// Starts `program`, a test's `env!("CARGO_BIN_EXE_backfill")`, with these arguments, and without the environment's ideas of databases and credentials.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        Self::start_with(program, arguments, &[])
    }

    /// Starts it with an environment of its own on top.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_with(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars()
            .filter(|(name, _)| name == "DATABASE_URL" || name.starts_with("APCA_") || name.starts_with("ALPACA_"))
        {
            command.env_remove(name);
        }
        command
            .envs(environment.iter().copied())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Self { process: command.spawn().unwrap() }
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it does not end within two minutes.
    pub async fn end(self) -> Outcome {
        let ended = tokio::time::timeout(Duration::from_secs(120), self.process.wait_with_output());
        let output = ended.await.expect("the program ends").unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Waits for something that happens while it runs.
    ///
    /// # Panics
    ///
    /// If it ends before, or nothing happens within `most`: with what it said.
    pub async fn while_it_runs<T>(&mut self, most: Duration, happens: impl Future<Output = T>) -> T {
        let code = tokio::select! {
            done = happens => return done,
            status = self.process.wait() => status.unwrap().code(),
            () = tokio::time::sleep(most) => {
                self.process.kill().await.unwrap();
                None
            }
        };
        let (stdout, stderr) = (text(&mut self.process.stdout).await, text(&mut self.process.stderr).await);
        panic!("it did not happen while the program ran: {:?}", Outcome { code, stdout, stderr });
    }

    /// Whether it has ended, and with which exit code; `None` for that if a signal ended it.
    ///
    /// # Panics
    ///
    /// If the system does not say.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.process.try_wait().unwrap().map(|status| status.code())
    }

    /// Waits until it says something with `words` in it on stderr.
    ///
    /// # Panics
    ///
    /// If it ends without having said so.
    pub async fn says(&mut self, words: &str) {
        let mut lines = BufReader::new(self.process.stderr.as_mut().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(words) {
                return;
            }
        }
        panic!("the program never said {words:?}");
    }

    /// Kills it, so that it cannot do anything more.
    ///
    /// # Panics
    ///
    /// If it cannot be killed.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Sends it a signal by name: `INT`, `TERM`.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args(["-s", name, &self.id()]).status().unwrap();
        assert!(sent.success());
    }

    /// Lets it write to no file any more: the kernel refuses every write, as on a filesystem that became read-only, and no
    /// right to make one so is needed. Of a file that is open SQLite says the same of both, `SQLITE_IOERR_WRITE`. It is to
    /// be started with the signal for that, `XFSZ`, ignored.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn forbid_writes(&self) {
        let limited = std::process::Command::new("prlimit").args(["--fsize=0:", "--pid", &self.id()]).status().unwrap();
        assert!(limited.success());
    }

    fn id(&self) -> String {
        self.process.id().expect("the program still runs").to_string()
    }
}

async fn text(pipe: &mut Option<impl AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    if let Some(pipe) = pipe {
        pipe.read_to_string(&mut text).await.unwrap();
    }
    text
}
