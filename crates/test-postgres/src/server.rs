use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{binaries, folder};

/// A PostgreSQL server in a folder of its own, reached by a socket in that folder.
///
/// One made by [`Server::start`] is stopped and its folder deleted when the value is dropped.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    durable: bool,
    owned: bool,
}

/// How to stop a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ends sessions and writes everything down.
    Fast,
    /// As in a crash: recovery runs at the next start.
    Immediate,
}

impl Server {
    /// Starts a private, durable server (fsync on), for tests that crash it.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        Self::start_under(&folder::scratch())
    }

    /// The same in the temporary folder, even where there is memory to spare: to a disk, fsync takes its time. For benches.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start.
    pub fn start_on_disk() -> Self {
        Self::start_under(&std::env::temp_dir())
    }

    fn start_under(parent: &Path) -> Self {
        let folder = folder::private_under(parent);
        let server = Self { folder, durable: true, owned: true };
        server.create();
        server.resume();
        server
    }

    /// A server whose folder outlives this value, without fsync.
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self { folder, durable: false, owned: false }
    }

    /// The URL of its maintenance database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.display())
    }

    /// Makes the folder and an empty cluster in it.
    pub(crate) fn create(&self) {
        folder::make(&self.folder);
        let data = self.folder.join("data");
        self.run("initdb", |initdb| {
            initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8"]);
            initdb.args(["--no-locale", "--no-sync", "--no-instructions"])
        });
    }

    /// Starts the server again after [`Server::stop`].
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn resume(&self) {
        let socket = self.folder.display();
        let speed = if self.durable { "" } else { "-c fsync=off -c synchronous_commit=off -c full_page_writes=off" };
        let options = format!("-k {socket} -c listen_addresses='' -c max_connections=300 {speed}");
        self.run("pg_ctl", |pg_ctl| {
            self.aim(pg_ctl).arg("-l").arg(self.folder.join("server.log")).args(["-o", &options, "start"])
        });
    }

    /// Stops the server.
    ///
    /// # Panics
    ///
    /// If it does not stop.
    pub fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.run("pg_ctl", |pg_ctl| self.aim(pg_ctl).args(["-m", mode, "stop"]));
    }

    pub(crate) fn is_running(&self) -> bool {
        let mut pg_ctl = self.command("pg_ctl");
        pg_ctl.arg("-D").arg(self.folder.join("data")).arg("status");
        pg_ctl.output().is_ok_and(|output| output.status.success())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn aim<'a>(&self, pg_ctl: &'a mut Command) -> &'a mut Command {
        pg_ctl.arg("-D").arg(self.folder.join("data")).args(["-w", "-t", "60"])
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(binaries::folder().join(program));
        binaries::as_unprivileged(&mut command);
        command
    }

    fn run(&self, program: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) {
        // A file, because a pipe would be inherited by the server and never end.
        let log = self.folder.join(format!("{program}.log"));
        let output = File::create(&log).expect("the folder is ours");
        let errors = output.try_clone().expect("a file can be shared");
        let mut command = self.command(program);
        arguments(&mut command).stdin(std::process::Stdio::null()).stdout(output).stderr(errors);
        let status = command.status().unwrap_or_else(|error| panic!("{program} does not run: {error}"));
        assert!(status.success(), "{program} failed: {}", std::fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.owned {
            if self.is_running() {
                self.stop(Stop::Immediate);
            }
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
