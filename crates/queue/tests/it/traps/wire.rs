use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use barkeep_database::Postgres;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// A word that makes a server's answers get lost.
pub(super) const UNLUCKY: &str = "unlucky";

/// A way to a server on which answers get lost once it was told something [`UNLUCKY`]: the server does what it was asked,
/// and nobody hears of it.
pub(super) async fn to(server: &str) -> String {
    let server: url::Url = server.parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url = server.clone();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    url.set_query(Some("sslmode=disable"));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, connect(&server).await));
        }
    });
    url.into()
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(server: &url::Url) -> Box<dyn Stream> {
    let port = server.port().unwrap_or(5432);
    match server.query_pairs().find(|(name, _)| name == "host") {
        Some((_, folder)) => Box::new(UnixStream::connect(format!("{folder}/.s.PGSQL.{port}")).await.unwrap()),
        None => Box::new(TcpStream::connect((server.host_str().unwrap(), port)).await.unwrap()),
    }
}

async fn carry(client: TcpStream, server: Box<dyn Stream>) {
    let (mut questions, mut to_client) = client.into_split();
    let (mut answers, mut to_server) = tokio::io::split(server);
    let loses_answers = AtomicBool::new(false);
    let asking = async {
        let mut buffer = [0; 8192];
        while let length @ 1.. = questions.read(&mut buffer).await? {
            if buffer[..length].windows(UNLUCKY.len()).any(|word| word == UNLUCKY.as_bytes()) {
                loses_answers.store(true, Ordering::SeqCst);
            }
            to_server.write_all(&buffer[..length]).await?;
        }
        std::io::Result::Ok(())
    };
    let answering = async {
        let mut buffer = [0; 8192];
        while let length @ 1.. = answers.read(&mut buffer).await? {
            if !loses_answers.load(Ordering::SeqCst) {
                to_client.write_all(&buffer[..length]).await?;
            }
        }
        std::io::Result::Ok(())
    };
    // Either side may hang up at any time.
    let _ = tokio::select! {
        ended = asking => ended,
        ended = answering => ended,
    };
}

/// A server process that does not move.
pub(super) struct Stopped {
    pid: String,
}

/// Stops the server process that was last asked something by others than `watch`.
pub(super) async fn stop_the_last_to_ask(watch: &Postgres) -> Stopped {
    let last = "SELECT pid::text FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        ORDER BY query_start DESC LIMIT 1";
    let mut connection = watch.connection().await.unwrap();
    let pid: String = sqlx::query_scalar(last).fetch_one(&mut *connection).await.unwrap();
    connection.finish().await.unwrap();
    signal("-STOP", &pid);
    Stopped { pid }
}

impl Stopped {
    pub(super) fn resume(self) {
        signal("-CONT", &self.pid);
    }
}

fn signal(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}
