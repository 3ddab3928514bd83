use std::borrow::Cow;
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use crate::{TestDatabase, binaries, folder};

/// A PgBouncer in front of a database, which lends a server for a transaction: what a client does in its next transaction
/// may meet another server. Stopped when the value is dropped.
#[derive(Debug)]
pub struct Pooler {
    process: Child,
    folder: PathBuf,
    database: String,
}

/// A part of its socket's name.
const PORT: u16 = 6432;
/// Fewer than clients have connections, so that they meet each other's.
const SERVERS: u8 = 3;

impl Pooler {
    /// Starts one that anybody on this machine may use.
    ///
    /// # Panics
    ///
    /// If PgBouncer is not installed or does not start.
    pub fn before(database: &TestDatabase) -> Self {
        let url = Url::parse(database.url()).expect("a test database has a URL");
        let folder = folder::private_under(&folder::scratch());
        folder::make(&folder);
        let shown = folder.display();
        let settings = format!(
            "[databases]\n\
             * = {}\n\
             [pgbouncer]\n\
             pool_mode = transaction\n\
             default_pool_size = {SERVERS}\n\
             auth_type = any\n\
             listen_port = {PORT}\n\
             unix_socket_dir = {shown}\n\
             ignore_startup_parameters = extra_float_digits\n",
            server(&url)
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("the folder is ours");
        let log = File::create(folder.join("pgbouncer.log")).expect("the folder is ours");
        let mut command = Command::new(binaries::pgbouncer());
        binaries::as_unprivileged(&mut command);
        let process = command.arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let database = url.path().trim_start_matches('/').to_owned();
        let mut pooler = Self { process: process.expect("PgBouncer runs"), folder, database };
        pooler.wait_until_it_listens();
        pooler
    }

    /// The database's URL, through the pooler, which it does not mention.
    pub fn url(&self) -> String {
        format!("postgres://anybody@localhost/{}?host={}&port={PORT}", self.database, self.folder.display())
    }

    fn wait_until_it_listens(&mut self) {
        let socket = self.folder.join(format!(".s.PGSQL.{PORT}"));
        let until = Instant::now() + Duration::from_secs(30);
        // The socket is there a moment before anybody listens on it.
        while UnixStream::connect(&socket).is_err() {
            let ended = self.process.try_wait().expect("the system knows its children");
            assert!(ended.is_none() && Instant::now() < until, "PgBouncer does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("pgbouncer.log")).unwrap_or_default()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Whom to connect to, and as whom, as PgBouncer writes it.
fn server(url: &Url) -> String {
    let said = |name: &str| url.query_pairs().find(|(said, _)| said == name).map(|(_, value)| value);
    let host = said("host").or_else(|| url.host_str().map(Cow::from)).unwrap_or("localhost".into());
    let port = said("port").or_else(|| url.port().map(|port| port.to_string().into())).unwrap_or("5432".into());
    let password = url.password().map(|password| format!(" password={password}")).unwrap_or_default();
    format!("host={host} port={port} user={}{password}", url.username())
}
