use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::AlpacaSim;
use barkeep_orchestrator::Backend;
use barkeep_orchestrator::database::{Location, Postgres, Sqlite};
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::store::{ProviderName, Store};
use barkeep_orchestrator::types::{Bar, Series, TimeRange};
use barkeep_test_postgres::{Server, TestDatabase};
use chrono::{DateTime, TimeDelta};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};
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

    /// Makes one on a server of the test's own.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub async fn on_server(server: &Server) -> Self {
        let server = TestDatabase::on(&server.url()).await;
        Self { url: server.url().to_owned(), _folder: tempfile::tempdir().unwrap(), _server: Some(server) }
    }

    /// Where the database is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the database is, as the crates name it.
    ///
    /// # Panics
    ///
    /// If the URL were none.
    pub fn location(&self) -> Location {
        self.url.parse().unwrap()
    }

    /// Runs a statement in it, as somebody with a hand in the tables.
    ///
    /// # Panics
    ///
    /// If the database refuses.
    pub async fn execute(&self, statement: &'static str) {
        match self.location() {
            Location::Sqlite(path) => {
                let mut transaction = Sqlite::open(path).await.unwrap().begin().await.unwrap();
                sqlx::query(statement).execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
            Location::Postgres(url) => {
                let mut transaction = Postgres::connect(url.as_str()).await.unwrap().begin().await.unwrap();
                sqlx::query("SET LOCAL search_path = barkeep").execute(&mut *transaction).await.unwrap();
                sqlx::query(statement).execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
        }
    }

    /// Counts, as somebody with a look into the tables.
    ///
    /// # Panics
    ///
    /// If the database refuses.
    pub async fn count(&self, query: &'static str) -> i64 {
        match self.location() {
            Location::Sqlite(path) => {
                let mut transaction = Sqlite::open(path).await.unwrap().begin().await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut *transaction).await.unwrap()
            }
            Location::Postgres(url) => {
                let mut transaction = Postgres::connect(url.as_str()).await.unwrap().begin().await.unwrap();
                sqlx::query("SET LOCAL search_path = barkeep").execute(&mut *transaction).await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut *transaction).await.unwrap()
            }
        }
    }

    /// Keeps everybody from ending or beginning a job, until the value is dropped. Reading goes on.
    ///
    /// # Panics
    ///
    /// If the database refuses.
    pub async fn hold(&self) -> Box<dyn std::any::Any> {
        match self.location() {
            // Its one writer is this one.
            Location::Sqlite(path) => Box::new(Sqlite::open(path).await.unwrap().begin().await.unwrap()),
            Location::Postgres(url) => {
                let mut transaction = Postgres::connect(url.as_str()).await.unwrap().begin().await.unwrap();
                sqlx::query("LOCK TABLE barkeep.queue_lease IN EXCLUSIVE MODE")
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                Box::new(transaction)
            }
        }
    }

    /// Whether somebody who wants to write can. SQLite has one lock for all writers, which a frozen one may hold.
    ///
    /// # Panics
    ///
    /// If the database refuses in another way.
    pub async fn is_writable(&self) -> bool {
        let Location::Sqlite(path) = self.location() else { return true };
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_millis(200));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let began = connection.execute("BEGIN IMMEDIATE").await;
        let is_writable = began.is_ok();
        if is_writable {
            connection.execute("ROLLBACK").await.unwrap();
        }
        connection.close().await.unwrap();
        is_writable
    }

    /// Opens it.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub async fn backend(&self) -> Backend {
        Backend::open(&self.location(), ProviderName::ALPACA).await.unwrap()
    }
}

/// A simulator's client, without a request limit and without a beginning of history.
///
/// # Panics
///
/// If the simulator's URL were none.
pub fn provider(simulator: &AlpacaSim) -> Alpaca {
    let credentials = Credentials::new("any", "any").unwrap();
    let alpaca = Alpaca::new(credentials).with_base_url(&simulator.base_url()).unwrap();
    let alpaca = alpaca.with_trading_url(&simulator.base_url()).unwrap();
    let limits = Limits { requests_a_minute: None, earliest: None, ..alpaca.limits() };
    alpaca.with_limits(limits)
}

/// Every stored bar of a series that starts within `range`.
///
/// # Panics
///
/// If the store fails.
pub async fn bars_of(store: &dyn Store, series: &Series, range: TimeRange) -> Vec<Bar> {
    const AT_ONCE: usize = 10_000;
    let mut bars = Vec::new();
    let mut rest = Some(range);
    while let Some(range) = rest {
        let page = store.bars(series, range, AT_ONCE).await.unwrap();
        let last = page.last().filter(|_| page.len() == AT_ONCE).map(|bar| bar.start);
        rest = last.and_then(|last| range.from(last + TimeDelta::nanoseconds(1)));
        bars.extend(page);
    }
    bars
}

/// Every stored bar of every stored series.
///
/// # Panics
///
/// If the store fails.
pub async fn everything(store: &dyn Store) -> BTreeMap<Series, Vec<Bar>> {
    let mut all = BTreeMap::new();
    for series in store.series().await.unwrap() {
        let bars = bars_of(store, &series, always()).await;
        all.insert(series, bars);
    }
    all
}

/// All the time that a bar can have.
pub(crate) fn always() -> TimeRange {
    TimeRange::new(DateTime::UNIX_EPOCH, "2100-01-01T00:00:00Z".parse().unwrap()).unwrap()
}
