use std::sync::mpsc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::shared;

/// How long a test waits for its database to be gone; then that goes on behind its back.
const WAIT: Duration = Duration::from_secs(3);

/// A fresh, empty database on the shared server; dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Makes the database.
    ///
    /// # Panics
    ///
    /// If there is no PostgreSQL to be had.
    pub async fn create() -> Self {
        let server = tokio::task::spawn_blocking(shared::url).await.expect("the shared server starts");
        Self::on(server).await
    }

    /// Makes a database on another server.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn on(server: &str) -> Self {
        let name = format!("barkeep_{}", uuid::Uuid::new_v4().simple());
        execute(server, format!("CREATE DATABASE {name}")).await.expect("the test server lets us create databases");
        let url = match server.split_once("/postgres?") {
            Some((authority, parameters)) => format!("{authority}/{name}?{parameters}"),
            None => {
                format!("{}/{name}", server.rsplit_once('/').expect("a URL names a database").0)
            }
        };
        Self { server: server.to_owned(), name, url }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let (dropped, is_dropped) = mpsc::channel();
        // On a thread of its own: the test's runtime may be shutting down, and may be this thread.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let _ = runtime.map(|runtime| runtime.block_on(execute(&server, drop)));
            let _ = dropped.send(());
        });
        // Not for ever: the server first waits for all sessions, of which one may wait for this very thread to read rows.
        let _ = is_dropped.recv_timeout(WAIT);
    }
}

async fn execute(server: &str, statement: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    // Safe: the only variable part is a random name of our own making.
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn databases_are_separate_and_dropped_with_their_value() {
        let (one, two) = (TestDatabase::create().await, TestDatabase::create().await);
        assert_ne!(one.url(), two.url());
        execute(one.url(), "CREATE TABLE only_here (id int)".to_owned()).await.unwrap();
        assert!(execute(two.url(), "SELECT * FROM only_here".to_owned()).await.is_err());
        let gone = one.url().to_owned();
        drop(one);
        assert!(PgConnection::connect(&gone).await.is_err());
    }

    #[tokio::test]
    async fn a_private_server_recovers_from_a_crash() {
        use crate::{Server, Stop};
        let server = Server::start();
        execute(&server.url(), "CREATE TABLE kept AS SELECT 1".to_owned()).await.unwrap();
        server.stop(Stop::Immediate);
        assert!(PgConnection::connect(&server.url()).await.is_err());
        server.resume();
        execute(&server.url(), "SELECT * FROM kept".to_owned()).await.unwrap();
    }

    #[tokio::test]
    async fn a_session_that_waits_for_the_thread_that_drops_a_database_does_not_hang_it() {
        let (one, two) = (TestDatabase::create().await, TestDatabase::create().await);
        let mut reader = PgConnection::connect(one.url()).await.unwrap();
        let many = sqlx::query("SELECT repeat('x', 1000) FROM generate_series(1, 10000000)");
        let mut rows = std::pin::pin!(many.fetch_all(&mut reader));
        // Some rows are read, and then nobody reads the rest.
        assert!(tokio::time::timeout(Duration::from_millis(50), rows.as_mut()).await.is_err());
        let mut watch = PgConnection::connect(one.url()).await.unwrap();
        let stuck = "SELECT count(*) > 0 FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'ClientWrite'";
        while !sqlx::query_scalar::<_, bool>(stuck).fetch_one(&mut watch).await.unwrap() {}
        drop(two);
    }
}
