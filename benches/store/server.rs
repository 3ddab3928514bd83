//! A PostgreSQL of its own, on a disk: where fsync is free, writing looks cheaper than it is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use barkeep_test_postgres::{Server, Stop};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Starts a server, says where it lies, and proves that it syncs.
pub async fn start(settings: &[(&str, &str)]) -> Server {
    let all = [("shared_buffers", "2GB"), ("max_wal_size", "8GB"), ("checkpoint_timeout", "1h"), ("autovacuum", "off")];
    let mut server = tokio::task::spawn_blocking(Server::start_on_disk).await.expect("a server starts");
    let mut connection = PgConnection::connect(&server.url()).await.expect("the server answers");
    for (name, value) in all.iter().chain(settings) {
        let set = AssertSqlSafe(format!("ALTER SYSTEM SET {name} = '{value}'"));
        sqlx::query(set).execute(&mut connection).await.expect("a setting is known");
    }
    connection.close().await.expect("the connection ends");
    server = restarted(server).await;
    describe(&server).await;
    server
}

async fn restarted(server: Server) -> Server {
    let restart = move || {
        server.stop(Stop::Fast);
        server.resume();
        server
    };
    tokio::task::spawn_blocking(restart).await.expect("the server starts again")
}

/// Stops it and deletes what it held.
pub async fn stop(server: Server) {
    tokio::task::spawn_blocking(move || drop(server)).await.expect("the server stops");
}

async fn describe(server: &Server) {
    let mut connection = PgConnection::connect(&server.url()).await.expect("the server answers");
    let mut shown = Vec::new();
    for name in ["server_version", "fsync", "synchronous_commit", "data_directory"] {
        let show = AssertSqlSafe(format!("SHOW {name}"));
        shown.push(sqlx::query_scalar::<_, String>(show).fetch_one(&mut connection).await.expect("a setting is known"));
    }
    let [version, fsync, commit, folder] = &shown[..] else { unreachable!("four were asked for") };
    assert_eq!((fsync.as_str(), commit.as_str()), ("on", "on"), "commits are durable");
    println!("\nPostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}, {}", disk(Path::new(folder)));
}

/// What a folder lies on, and how long it takes to make a page of the log durable there.
pub fn disk(folder: &Path) -> String {
    let df = Command::new("df").arg("--output=fstype,source").arg(folder).output();
    let table = df.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let kind = table.lines().nth(1).unwrap_or("unknown").split_whitespace().collect::<Vec<_>>().join(" on ");
    let sync = sync_time(&std::env::temp_dir().join(format!("barkeep-sync-{}", std::process::id())));
    format!("in {} ({kind}; fdatasync {:.2} ms)", folder.display(), sync.as_secs_f64() * 1e3)
}

/// The median of some writes of 8 KiB. In the temporary folder, since a server's own may not be ours.
fn sync_time(path: &PathBuf) -> Duration {
    let mut file = std::fs::File::create(path).expect("the temporary folder can be written to");
    let sync = |_| {
        let started = Instant::now();
        std::io::Write::write_all(&mut file, &[0; 8192]).expect("the disk has room");
        file.sync_data().expect("the disk syncs");
        started.elapsed()
    };
    let mut times: Vec<Duration> = (0..21).map(sync).collect();
    let _ = std::fs::remove_file(path);
    times.sort_unstable();
    times[times.len() / 2]
}
