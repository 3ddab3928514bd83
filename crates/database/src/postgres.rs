use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqlSafeStr, SqlStr};
use url::Url;

use crate::bounded::bounded;
use crate::conflict::despite_conflicts;
use crate::pool::Pool;
use crate::waits::Waits;
use crate::{
    Connection, Error, InvalidLocation, Listener, Location, Migrations, PoolWaits, Result, SchemaName, Transaction,
};

/// A PostgreSQL server, version 14 or later. A clone is a handle to the same pool.
///
/// A server that is not on this machine is only spoken to over TLS with its certificate checked, unless the URL names
/// another `sslmode`.
///
/// Behind a pooler that lends a connection for a transaction (PgBouncer with `pool_mode = transaction`), say so in the URL:
/// `?pooler=transaction`. Then every verb is a transaction, and no statement is taken to be prepared before it. It costs two
/// round trips a verb, and preparing every statement anew.
#[derive(Clone)]
pub struct Postgres {
    shared: Arc<Shared>,
}

struct Shared {
    // Not in any Debug: the options print the password.
    options: PgConnectOptions,
    target: String,
    schema: SchemaName,
    timeout: Duration,
    begin: String,
    pool: Arc<Pool<sqlx::Postgres>>,
    waits: Waits,
    pooling: Pooling,
}

/// What stands between us and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pooling {
    /// Nothing, or a pooler that lends a server for as long as we are connected.
    None,
    /// A pooler that lends a server for a transaction.
    Transaction,
}

/// How to connect to a PostgreSQL server.
#[derive(Clone)]
pub struct PostgresSettings {
    url: Url,
    schema: SchemaName,
    timeout: Duration,
    connections: u32,
}

impl PostgresSettings {
    /// The server at `url`, schema `barkeep`, 30 s for a call, up to 10 connections.
    pub fn new(url: Url) -> Self {
        Self { url, schema: SchemaName::BARKEEP, timeout: Duration::from_secs(30), connections: 10 }
    }

    /// Keeps the tables in another schema.
    #[must_use]
    pub fn with_schema(self, schema: SchemaName) -> Self {
        Self { schema, ..self }
    }

    /// Gives up on a call after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Opens up to `connections` at once; at least one.
    #[must_use]
    pub fn with_connections(self, connections: u32) -> Self {
        Self { connections: connections.max(1), ..self }
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PostgresSettings")
            .field("target", &Location::Postgres(self.url.clone()))
            .field("schema", &self.schema)
            .field("timeout", &self.timeout)
            .field("connections", &self.connections)
            .finish()
    }
}

/// How long a server may take to accept a first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// As of a transaction; see [`begin`].
const READ_COMMITTED: &str = "SET default_transaction_isolation = 'read committed'";
/// PostgreSQL 14.
const OLDEST_SERVER: i32 = 140_000;

impl Postgres {
    /// Connects to the server at `url` and checks that it will do.
    ///
    /// # Errors
    ///
    /// Within 5 s: [`Error::Location`], [`Error::Unreachable`] with the host and the cause, [`Error::Denied`] or
    /// [`Error::TooOld`].
    pub async fn connect(url: &str) -> Result<Self> {
        match Location::from_str(url)? {
            Location::Postgres(url) => Self::connect_with(PostgresSettings::new(url)).await,
            Location::Sqlite(_) => Err(InvalidLocation("not a PostgreSQL server").into()),
        }
    }

    /// Connects with other than the default settings.
    ///
    /// # Errors
    ///
    /// As [`Postgres::connect`].
    pub async fn connect_with(settings: PostgresSettings) -> Result<Self> {
        let (url, pooling) = Pooling::of(&settings.url)?;
        let options = options(&url, pooling)?;
        let target = Location::Postgres(settings.url).to_string();
        // Outside of the pool, which would retry in silence and then hide the cause.
        check_server(&options).await.map_err(|error| unreachable(&target, error))?;
        // Of statements that are transactions by themselves; behind a pooler there are none.
        let first = (pooling == Pooling::None).then_some(READ_COMMITTED);
        let pool = Pool::new(options.clone(), settings.connections, settings.timeout).with_first(first);
        let pool = Arc::new(pool);
        let PostgresSettings { schema, timeout, .. } = settings;
        let begin = begin(timeout, pooling);
        let waits = Waits::default();
        Ok(Self { shared: Arc::new(Shared { options, target, schema, timeout, begin, pool, waits, pooling }) })
    }

    /// How often its connections were waited for.
    pub fn pool_waits(&self) -> PoolWaits {
        self.shared.waits.sum()
    }

    /// A statement written for the schema `barkeep`, told for the schema of this database.
    pub fn sql(&self, statement: &'static str) -> SqlStr {
        // Safe: the statement is ours, and a schema name can hold nothing that ends it.
        AssertSqlSafe(self.shared.schema.told(statement)).into_sql_str()
    }

    /// Brings a component's tables up to date.
    ///
    /// A database that is up to date is only read, so that a role without the right to create tables can start.
    ///
    /// # Errors
    ///
    /// [`Error::NewerSchema`], [`Error::Drifted`] if others dropped what earlier steps made, [`Error::Busy`] if another
    /// process migrates for too long, or whatever a step fails with; then none has run.
    pub async fn migrate(&self, migrations: &Migrations) -> Result<()> {
        self.bounded(|| async {
            // A connection of its own, closed on every path: a lock that outlives its error would hang the next process.
            let mut connection = PgConnection::connect_with(&self.shared.options).await?;
            connection.execute(self.begin_statement()).await?;
            let is_missing = self.steps_missing(migrations, &mut connection).await?;
            if !is_missing {
                self.check(migrations, &mut connection).await?;
            }
            connection.execute("COMMIT").await?;
            if is_missing {
                connection.execute(self.begin_statement()).await?;
                self.run_steps(migrations, &mut connection).await?;
                self.check(migrations, &mut connection).await?;
                connection.execute("COMMIT").await?;
            }
            connection.close().await?;
            Ok(())
        })
        .await
    }

    async fn steps_missing(&self, migrations: &Migrations, connection: &mut PgConnection) -> Result<bool> {
        let ledger_stands: bool = sqlx::query_scalar(self.sql(include_str!("../sql/postgres/has_ledger.sql")))
            .fetch_one(&mut *connection)
            .await?;
        if !ledger_stands {
            return Ok(true);
        }
        let found = self.found_version(migrations, connection).await?;
        Ok(!migrations.after(found)?.is_empty())
    }

    async fn run_steps(&self, migrations: &Migrations, connection: &mut PgConnection) -> Result<()> {
        sqlx::raw_sql(include_str!("../sql/postgres/lock_migrations.sql")).execute(&mut *connection).await?;
        sqlx::raw_sql(self.sql(include_str!("../sql/postgres/create_schema.sql"))).execute(&mut *connection).await?;
        sqlx::raw_sql(self.sql(include_str!("../sql/postgres/create_ledger.sql"))).execute(&mut *connection).await?;
        let found = self.found_version(migrations, connection).await?;
        for step in migrations.after(found)? {
            sqlx::raw_sql(self.sql(step.sql)).execute(&mut *connection).await?;
            sqlx::query(self.sql(include_str!("../sql/postgres/record_step.sql")))
                .bind(migrations.component)
                .bind(step.version.cast_signed())
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    async fn found_version(&self, migrations: &Migrations, connection: &mut PgConnection) -> Result<u32> {
        let found: i32 = sqlx::query_scalar(self.sql(include_str!("../sql/postgres/found_version.sql")))
            .bind(migrations.component)
            .fetch_one(connection)
            .await?;
        Ok(found.cast_unsigned())
    }

    async fn check(&self, migrations: &Migrations, connection: &mut PgConnection) -> Result<()> {
        let found = sqlx::query_scalar(self.sql(include_str!("../sql/postgres/found_objects.sql")));
        migrations.check(&found.fetch_all(connection).await?)
    }

    /// Opens a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if all connections are in use for too long, [`Error::Lost`] if the server is gone.
    pub async fn begin(&self) -> Result<Transaction<sqlx::Postgres>> {
        Transaction::begin(self.acquire().await?, self.begin_statement()).await
    }

    /// As [`Postgres::begin`], with statements that go to the server together with it, such as a `SET LOCAL`.
    ///
    /// # Errors
    ///
    /// As [`Postgres::begin`].
    pub async fn begin_with(&self, statements: &'static str) -> Result<Transaction<sqlx::Postgres>> {
        let begin = format!("{}; {}", self.shared.begin, self.sql(statements).as_str());
        Transaction::begin(self.acquire().await?, AssertSqlSafe(begin).into_sql_str()).await
    }

    /// A connection for single statements, each of which is its own transaction; behind a pooler all of them are one.
    ///
    /// # Errors
    ///
    /// As [`Postgres::begin`].
    pub async fn connection(&self) -> Result<Connection<sqlx::Postgres>> {
        let connection = self.acquire().await?;
        match self.shared.pooling {
            Pooling::None => Ok(connection),
            Pooling::Transaction => connection.in_transaction(self.begin_statement()).await,
        }
    }

    async fn acquire(&self) -> Result<Connection<sqlx::Postgres>> {
        Connection::acquire(&self.shared.pool, &self.shared.waits).await
    }

    /// Hears what is notified on a channel from now on, over a connection of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Location`] behind a transaction pooler, which carries no notices; otherwise as [`Postgres::begin`].
    pub async fn listen(&self, channel: &str) -> Result<Listener> {
        match self.shared.pooling {
            Pooling::None => self.bounded(|| Listener::open(&self.shared.options, channel)).await,
            Pooling::Transaction => {
                Err(InvalidLocation("no notices come through pooler=transaction: listen at the server itself").into())
            }
        }
    }

    fn begin_statement(&self) -> SqlStr {
        // Safe: made of numbers and words of ours.
        AssertSqlSafe(self.shared.begin.clone()).into_sql_str()
    }

    /// Runs a whole verb, which is one transaction, within the timeout of this database. Where the server undoes it for the
    /// sake of others (a deadlock, a serialization failure) it is run anew, up to five times more within that time.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], or the verb's own; [`Error::Busy`] if others were in its way every time.
    pub async fn bounded<T, E, F>(&self, verb: impl Fn() -> F) -> Result<T, E>
    where
        E: From<Error> + std::error::Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        bounded(self.shared.timeout, despite_conflicts(verb)).await
    }

    /// The schema that holds the tables.
    pub fn schema(&self) -> &SchemaName {
        &self.shared.schema
    }

    /// Closes every connection. Other handles to the same database fail from then on.
    pub async fn close(&self) {
        self.shared.pool.close().await;
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Postgres")
            .field("target", &self.shared.target)
            .field("schema", &self.shared.schema)
            .finish_non_exhaustive()
    }
}

impl Pooling {
    /// What a URL says of it, and the rest of the URL.
    fn of(url: &Url) -> Result<(Url, Self)> {
        let (said, rest): (Vec<_>, Vec<_>) = url.query_pairs().into_owned().partition(|(name, _)| name == "pooler");
        let pooling = match said.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>()[..] {
            [] => return Ok((url.clone(), Self::None)),
            ["transaction"] => Self::Transaction,
            _ => return Err(InvalidLocation("pooler= takes one value, transaction").into()),
        };
        let mut url = url.clone();
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        Ok((url, pooling))
    }
}

fn options(url: &Url, pooling: Pooling) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|_| InvalidLocation("PostgreSQL cannot read its parts"))?
        .application_name("barkeep");
    let options = match pooling {
        Pooling::None => options,
        Pooling::Transaction => options.statement_cache_capacity(0),
    };
    let says_how = url.query_pairs().any(|(name, _)| name == "sslmode" || name == "ssl-mode");
    let is_here = options.get_socket().is_some()
        || options.get_host().starts_with('/')
        || matches!(options.get_host(), "localhost" | "127.0.0.1" | "::1" | "[::1]");
    Ok(if says_how || is_here { options } else { options.ssl_mode(PgSslMode::VerifyFull) })
}

/// Opens a transaction in which every statement sees what was committed before it, whatever the host's database has for a
/// default: what waits for a lock goes on to read, and must not read what was before the wait.
///
/// The server ends it by itself if its client has frozen in the middle of it: a process that was stopped, or whose machine is
/// gone, would keep its locks for ever, and others waiting. Nothing shorter than a verb may take is ended.
fn begin(timeout: Duration, pooling: Pooling) -> String {
    let milliseconds = timeout.as_millis().clamp(1, i32::MAX as u128);
    let forget = match pooling {
        Pooling::None => "",
        // The driver numbers its statements from one on, as did whoever had the server before.
        Pooling::Transaction => "; DEALLOCATE ALL",
    };
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED{forget}; SET LOCAL idle_in_transaction_session_timeout = {milliseconds}; SET LOCAL statement_timeout = {milliseconds}"
    )
}

async fn check_server(options: &PgConnectOptions) -> Result<()> {
    bounded(CONNECT_TIMEOUT, async {
        let mut connection = PgConnection::connect_with(options).await?;
        // Not prepared: a pooler may answer the next message by another server.
        let version = sqlx::raw_sql("SHOW server_version_num").fetch_one(&mut connection).await?;
        let version: String = version.try_get(0)?;
        connection.close().await?;
        if version.parse().unwrap_or(0) < OLDEST_SERVER {
            return Err(Error::TooOld { product: "PostgreSQL", found: version, needed: "14" });
        }
        Ok(())
    })
    .await
}

fn unreachable(target: &str, error: Error) -> Error {
    let source: Box<dyn std::error::Error + Send + Sync> = match error {
        Error::Lost(source) | Error::Failed(source) => source,
        Error::TimedOut { .. } => Box::new(error),
        other => return other,
    };
    Error::Unreachable { target: target.to_owned(), source }
}
