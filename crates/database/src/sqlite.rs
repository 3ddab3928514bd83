use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlSafeStr;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

use crate::bounded::bounded;
use crate::filesystem::warn_of_network;
use crate::original::Original;
use crate::pool::Pool;
use crate::waits::Waits;
use crate::{Connection, Error, Migrations, PoolWaits, Result, Transaction};

/// A SQLite file, shared by any number of tasks and processes of one machine. A clone is a handle to the same.
///
/// Writes go through one connection, since SQLite has one writer; reads have their own. The file is created for its
/// owner alone (mode 0600), in WAL mode: a killed process loses nothing that was committed. Not for network
/// filesystems, where locks cannot be relied on: a file on one is warned of when it is opened.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    settings: SqliteSettings,
    original: Option<Original>,
    writer: Arc<Pool<sqlx::Sqlite>>,
    readers: Arc<Pool<sqlx::Sqlite>>,
    waits: Waits,
}

/// How to open a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    path: PathBuf,
    timeout: Duration,
    readers: u32,
}

impl SqliteSettings {
    /// The file at `path`, 30 s for a call, 4 reading connections.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().to_owned(), timeout: Duration::from_secs(30), readers: 4 }
    }

    /// Gives up on a call after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Reads over up to `readers` connections at once; at least one.
    #[must_use]
    pub fn with_readers(self, readers: u32) -> Self {
        Self { readers: readers.max(1), ..self }
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Normal)
    }
}

/// How long a statement waits for another process' transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The most pages that SQLite can count.
const MAX_PAGES: u64 = 4_294_967_294;

impl Sqlite {
    /// Opens the file at `path`; creates it if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`], [`Error::Damaged`], [`Error::NotADatabase`], or [`Error::TooOld`] if the SQLite library in this
    /// program has the WAL-reset fault of versions before 3.51.3.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(SqliteSettings::new(path)).await
    }

    /// Opens a file with other than the default settings.
    ///
    /// # Errors
    ///
    /// As [`Sqlite::open`].
    pub async fn open_with(settings: SqliteSettings) -> Result<Self> {
        create_private(&settings.path)?;
        let options = settings.options();
        let pool = |most| Arc::new(Pool::new(options.clone(), most, settings.timeout));
        let (writer, readers) = (pool(1), pool(settings.readers));
        let original = Original::at(&settings.path);
        let shared = Shared { settings, original, writer, readers, waits: Waits::default() };
        let database = Self { shared: Arc::new(shared) };
        database.check_version().await.map_err(|error| database.opening(error))?;
        database.write_ahead().await.map_err(|error| database.opening(error))?;
        warn_of_network(database.path());
        Ok(database)
    }

    /// Brings a component's tables up to date.
    ///
    /// # Errors
    ///
    /// [`Error::NewerSchema`], [`Error::Drifted`] if others dropped what earlier steps made, or whatever a step fails with;
    /// then none has run.
    pub async fn migrate(&self, migrations: &Migrations) -> Result<()> {
        self.bounded(async {
            let mut transaction = self.begin().await?;
            sqlx::query(include_str!("../sql/sqlite/create_ledger.sql")).execute(&mut *transaction).await?;
            let found: u32 = sqlx::query_scalar(include_str!("../sql/sqlite/found_version.sql"))
                .bind(migrations.component)
                .fetch_one(&mut *transaction)
                .await?;
            for step in migrations.after(found)? {
                sqlx::raw_sql(step.sql).execute(&mut *transaction).await?;
                sqlx::query(include_str!("../sql/sqlite/record_step.sql"))
                    .bind(migrations.component)
                    .bind(step.version)
                    .execute(&mut *transaction)
                    .await?;
            }
            let found = sqlx::query_scalar(include_str!("../sql/sqlite/found_objects.sql"));
            migrations.check(&found.fetch_all(&mut *transaction).await?)?;
            transaction.commit().await
        })
        .await
    }

    /// Opens a transaction on the one writing connection.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if others wrote for too long, [`Error::Unreadable`] if the file is not there any more.
    pub async fn begin(&self) -> Result<Transaction<sqlx::Sqlite>> {
        self.check_file()?;
        // A plain BEGIN takes the write lock only at the first write, and then fails at once, whatever the busy timeout
        // says, if another process wrote since the first read.
        Transaction::begin(
            Connection::acquire(&self.shared.writer, &self.shared.waits).await?,
            "BEGIN IMMEDIATE".into_sql_str(),
        )
        .await
    }

    /// A connection for reading.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if all are in use for too long, [`Error::Unreadable`] if the file is not there any more.
    pub async fn connection(&self) -> Result<Connection<sqlx::Sqlite>> {
        self.check_file()?;
        Connection::acquire(&self.shared.readers, &self.shared.waits).await
    }

    /// Runs a whole verb within the timeout of this database.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], the verb's own, or where that is of the file [`Error::Unreadable`] and [`Error::Damaged`], which
    /// name it.
    pub async fn bounded<T, E>(&self, verb: impl Future<Output = Result<T, E>>) -> Result<T, E>
    where
        E: From<Error> + std::error::Error + Send + Sync + 'static,
    {
        let done = bounded(self.shared.settings.timeout, verb).await;
        done.map_err(|error| self.of_the_file(error))
    }

    /// Refuses to go on where another file has the name, or none.
    fn check_file(&self) -> Result<()> {
        let refused = |source| Error::Unreadable { path: self.path().to_owned(), source: Box::new(source) };
        self.shared.original.as_ref().map_or(Ok(()), |original| original.check().map_err(refused))
    }

    /// Says of an error that is the file's which file.
    fn of_the_file<E>(&self, error: E) -> E
    where
        E: From<Error> + std::error::Error + Send + Sync + 'static,
    {
        match file_fault(&error) {
            Some(fault) => fault.of(self.path()).into(),
            None => error,
        }
    }

    /// Lets the file grow to `bytes`, and no further: what would need more is [`Error::Full`], as on a full disk, until the
    /// limit is raised. For the writes of this handle and its clones; a file that is larger stays as large as it is.
    ///
    /// # Errors
    ///
    /// The database could not be written to.
    pub async fn limit(&self, bytes: u64) -> Result<()> {
        self.bounded(async {
            let mut transaction = self.begin().await?;
            let page: u32 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut *transaction).await?;
            // Each connection has a limit of its own: this one, and those that come after it.
            let pages = (bytes / u64::from(page)).clamp(1, MAX_PAGES);
            let limit = format!("PRAGMA max_page_count = {pages}");
            sqlx::query(sqlx::AssertSqlSafe(limit)).execute(&mut *transaction).await?;
            let options = self.shared.settings.options().pragma("max_page_count", pages.to_string());
            self.shared.writer.set_options(options);
            transaction.commit().await
        })
        .await
    }

    /// How often its connections were waited for.
    pub fn pool_waits(&self) -> PoolWaits {
        self.shared.waits.sum()
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.shared.settings.path
    }

    /// Closes every connection. Other handles to the same database fail from then on.
    pub async fn close(&self) {
        self.shared.readers.close().await;
        // Last, so that it is the one to fold the write-ahead log into the file.
        self.shared.writer.close().await;
    }

    async fn check_version(&self) -> Result<()> {
        let mut connection = Connection::acquire(&self.shared.writer, &self.shared.waits).await?;
        let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
        connection.finish().await?;
        refuse_faulty(found)
    }

    /// Switches the file to write-ahead logging, which it then keeps.
    ///
    /// Of two processes that do so to a new file at once, one has to begin anew: both have read it and want to write, so
    /// that waiting would be for ever, and SQLite fails at once, whatever the busy timeout says.
    async fn write_ahead(&self) -> Result<()> {
        const PAUSE: Duration = Duration::from_millis(5);
        let pauses = BUSY_TIMEOUT.as_millis() / PAUSE.as_millis();
        for _ in 0..pauses {
            match self.switch_mode().await {
                Err(Error::Busy(_)) => tokio::time::sleep(PAUSE).await,
                switched => return switched,
            }
        }
        self.switch_mode().await
    }

    async fn switch_mode(&self) -> Result<()> {
        let mut connection = Connection::acquire(&self.shared.writer, &self.shared.waits).await?;
        sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await?;
        connection.finish().await?;
        Ok(())
    }

    /// Says of an error at opening what it means for the file.
    fn opening(&self, error: Error) -> Error {
        let path = self.path().to_owned();
        match (file_fault(&error), error) {
            (Some(FileFault { code: SQLITE_NOTADB, .. }), _) => Error::NotADatabase { path },
            (Some(fault), _) => fault.of(&path),
            (None, Error::Failed(source) | Error::Denied(source) | Error::Lost(source)) => {
                Error::Unreadable { path, source }
            }
            (None, other) => other,
        }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sqlite").field("path", &self.shared.settings.path).finish_non_exhaustive()
    }
}

/// Refuses versions whose write-ahead log may damage the file: <https://www.sqlite.org/wal.html#walresetbug>.
fn refuse_faulty(found: String) -> Result<()> {
    const NEEDED: (u32, u32, u32) = (3, 51, 3);
    let mut parts = found.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    if (part(), part(), part()) < NEEDED {
        return Err(Error::TooOld { product: "SQLite", found, needed: "3.51.3" });
    }
    Ok(())
}

const SQLITE_CORRUPT: u32 = 11;
const SQLITE_NOTADB: u32 = 26;

/// What SQLite says is wrong with the file.
struct FileFault {
    code: u32,
    said: String,
}

impl FileFault {
    fn of(self, path: &Path) -> Error {
        let (path, source) = (path.to_owned(), self.said.into());
        match self.code {
            // It was a database when it was opened.
            SQLITE_CORRUPT | SQLITE_NOTADB => Error::Damaged { path, source },
            _ => Error::Unreadable { path, source },
        }
    }
}

/// What is wrong with the file, if that is what SQLite says.
fn file_fault(error: &(dyn std::error::Error + 'static)) -> Option<FileFault> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    if causes.clone().any(|cause| cause.downcast_ref::<Error>().is_some_and(Error::is_full)) {
        return None;
    }
    let refusal = causes.find_map(|cause| cause.downcast_ref::<sqlx::Error>()?.as_database_error())?;
    let (result, message) = (refusal.code()?.parse::<u32>().ok()?, refusal.message());
    // No permission, read-only, a read or write that failed, damage, a file that cannot be opened.
    let is_of_file = matches!(result & 0xff, 3 | 8 | 10 | SQLITE_CORRUPT | 14 | SQLITE_NOTADB);
    is_of_file.then(|| FileFault { code: result & 0xff, said: format!("{message} (SQLite's result code {result})") })
}

/// Makes an empty file that only its owner may read. An existing one is not even opened: closing it again would drop
/// the locks that SQLite holds for this process.
fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Unreadable { path: path.to_owned(), source: Box::new(error) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_the_wal_reset_fault_are_refused() {
        for found in ["3.51.2", "3.46.0", "3.7.0", "2.8.17", ""] {
            assert!(matches!(refuse_faulty(found.to_owned()), Err(Error::TooOld { .. })), "{found}");
        }
        for found in ["3.51.3", "3.52.0", "3.100.0", "4.0.0"] {
            assert!(refuse_faulty(found.to_owned()).is_ok(), "{found}");
        }
    }
}
