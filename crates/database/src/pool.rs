//! The connections of a process to its database, kept for the next verb.
//!
//! Not sqlx's own pool: whenever a connection is given back, that one asks the database for a sign of life before anybody
//! else may have it, a round trip and two changes of task a verb. Here only what is sound is given back (see
//! [`Connection`](crate::Connection)), so that there is nothing to ask.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use sqlx::{ConnectOptions as _, Connection as _, Executor};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Engine;

/// How an engine's connections are opened.
pub(crate) type Options<E> = <<E as sqlx::Database>::Connection as sqlx::Connection>::Options;

/// How long an idle connection is taken to be sound without asking it. If it is not, a call fails as lost, and is to be asked
/// again, as it would be had the connection broken during the call.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// From when on a connection is closed rather than used again: the server keeps memory for each.
const OLD: Duration = Duration::from_secs(1800);
/// How long a connection that nobody wants any more may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Some connections, opened when they are first needed.
pub(crate) struct Pool<E: Engine> {
    // Not in any Debug: the options print the password.
    options: Mutex<Options<E>>,
    first: Option<&'static str>,
    /// Those that nobody uses, the one used last at the end.
    idle: Mutex<Vec<Idle<E>>>,
    /// One for each connection that may be in use, held until it is idle again or closed.
    places: Arc<Semaphore>,
    most: u32,
    timeout: Duration,
}

struct Idle<E: Engine> {
    connection: E::Connection,
    opened: Instant,
    since: Instant,
}

/// A connection in use.
pub(crate) struct Pooled<E: Engine> {
    pub(crate) connection: E::Connection,
    opened: Instant,
    place: OwnedSemaphorePermit,
}

impl<E: Engine> Pool<E>
where
    for<'c> &'c mut E::Connection: Executor<'c, Database = E>,
{
    /// Up to `most` connections at once, each waited for up to `timeout`.
    pub(crate) fn new(options: Options<E>, most: u32, timeout: Duration) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        Self { options: Mutex::new(options), first: None, idle: Mutex::default(), places, most, timeout }
    }

    /// Runs a statement over every connection before anything else.
    #[cfg(feature = "postgres")]
    pub(crate) fn with_first(self, statement: Option<&'static str>) -> Self {
        Self { first: statement, ..self }
    }

    /// Opens connections otherwise from now on.
    #[cfg(feature = "sqlite")]
    pub(crate) fn set_options(&self, options: Options<E>) {
        *self.options.lock().unwrap_or_else(PoisonError::into_inner) = options;
    }

    /// Takes one, once one is free. They come in the order in which they were asked for.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::PoolTimedOut`] if that takes too long, [`sqlx::Error::PoolClosed`], or why none could be opened.
    pub(crate) async fn take(&self) -> sqlx::Result<Pooled<E>> {
        tokio::time::timeout(self.timeout, async {
            let place = self.places.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            while let Some(mut idle) = self.last_used() {
                if idle.is_sound().await {
                    return Ok(Pooled { connection: idle.connection, opened: idle.opened, place });
                }
                idle.close().await;
            }
            Ok(Pooled { connection: self.open().await?, opened: Instant::now(), place })
        })
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Gives back one that is as it was when it was taken.
    pub(crate) fn give_back(&self, pooled: Pooled<E>) {
        let Pooled { connection, opened, place } = pooled;
        self.idle().push(Idle { connection, opened, since: Instant::now() });
        drop(place);
    }

    /// Closes all, once nobody uses them; nobody gets one any more.
    pub(crate) async fn close(&self) {
        let all = self.places.acquire_many(self.most).await;
        self.places.close();
        if all.is_ok() {
            while let Some(idle) = self.last_used() {
                idle.close().await;
            }
        }
    }

    fn last_used(&self) -> Option<Idle<E>> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<E>>> {
        // Nothing is done under the lock that could panic half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens one; waits for a server that starts.
    async fn open(&self) -> sqlx::Result<E::Connection> {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_secs(1))
            .without_max_times();
        let mut connection = (|| options.connect()).retry(pauses).when(is_not_ready).await?;
        if let Some(statement) = self.first {
            connection.execute(statement).await?;
        }
        Ok(connection)
    }
}

impl<E: Engine> Idle<E>
where
    for<'c> &'c mut E::Connection: Executor<'c, Database = E>,
{
    async fn is_sound(&mut self) -> bool {
        // One that was used a moment ago is trusted: asking it first would cost a round trip a call.
        self.opened.elapsed() < OLD && (self.since.elapsed() < TRUSTED_FOR || self.connection.ping().await.is_ok())
    }

    async fn close(self) {
        // It is gone either way.
        let _ = tokio::time::timeout(CLOSING, self.connection.close()).await;
    }
}

impl<E: Engine> Pooled<E> {
    /// Closes one that nobody can tell the state of; only then another one may take its place.
    pub(crate) fn discard(self) {
        let Self { connection, place, .. } = self;
        // Without a runtime it is closed by being dropped.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(CLOSING, connection.close()).await;
                drop(place);
            });
        }
    }
}

impl<E: Engine> fmt::Debug for Pool<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("most", &self.most).field("places", &self.places).finish_non_exhaustive()
    }
}

impl<E: Engine> fmt::Debug for Pooled<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pooled").field("opened", &self.opened).finish_non_exhaustive()
    }
}

/// Whether the server starts, or has no room until it notices who is gone.
fn is_not_ready(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(refusal) => matches!(refusal.code().as_deref(), Some("53300" | "57P03")),
        _ => false,
    }
}
