use barkeep_alpaca_sim::Market;
use barkeep_orchestrator::database::Location;
use barkeep_orchestrator::store::{ProviderName, Store};
use barkeep_orchestrator::types::{Bar, Series, TimeRange};
use barkeep_orchestrator::{Backend, Orchestrator};
use barkeep_test_postgres::TestDatabase;
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// The shared test server.
    Postgres,
}

/// A fresh database of either kind; gone with the value.
#[derive(Debug)]
pub struct Scene {
    url: String,
    _folder: TempDir,
    _server: Option<TestDatabase>,
}

impl Scene {
    /// Makes one.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub async fn on(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, server) = match kind {
            Kind::Sqlite => (format!("sqlite://{}", folder.path().join("bars.db").display()), None),
            Kind::Postgres => {
                let server = TestDatabase::create().await;
                (server.url().to_owned(), Some(server))
            }
        };
        Self { url, _folder: folder, _server: server }
    }

    /// Where the database is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub async fn backend(&self) -> Backend {
        let location: Location = self.url.parse().unwrap();
        Backend::open(&location, ProviderName::ALPACA).await.unwrap()
    }
}
