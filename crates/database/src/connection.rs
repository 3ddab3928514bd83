use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use metrics::gauge;
use sqlx::SqlStr;

use crate::Result;
use crate::pool::{Pool, Pooled};
use crate::waits::Waits;

/// A database that barkeep runs on. Closed: implemented here for PostgreSQL and SQLite alone.
pub trait Engine: sqlx::Database + sealed::Sealed {}

mod sealed {
    /// Keeps the set of engines closed.
    pub trait Sealed {}
    #[cfg(feature = "postgres")]
    impl Sealed for sqlx::Postgres {}
    #[cfg(feature = "sqlite")]
    impl Sealed for sqlx::Sqlite {}
}

#[cfg(feature = "postgres")]
impl Engine for sqlx::Postgres {}
#[cfg(feature = "sqlite")]
impl Engine for sqlx::Sqlite {}

/// How many connections of this process are in use, through the `metrics` facade.
pub(crate) const POOL_IN_USE: &str = "barkeep_db_pool_in_use";

/// A connection out of the pool, for the length of one verb.
///
/// [`finish`](Self::finish) gives it back. A connection that is dropped instead (an error, a timeout, a cancelled task)
/// is closed: nobody can tell what state it is in.
#[derive(Debug)]
pub struct Connection<E: Engine> {
    pool: Arc<Pool<E>>,
    // `None` only once finished.
    pooled: Option<Pooled<E>>,
    // Behind a pooler, which lends a server for a transaction, each verb is one.
    in_transaction: bool,
}

impl<E: Engine> Connection<E>
where
    for<'c> &'c mut E::Connection: sqlx::Executor<'c, Database = E>,
{
    /// Takes one, once one is free; counts how long that took, also in vain.
    pub(crate) async fn acquire(pool: &Arc<Pool<E>>, waits: &Waits) -> Result<Self> {
        let wait = waits.begin();
        let pooled = pool.take().await;
        drop(wait);
        let pooled = Some(pooled?);
        gauge!(POOL_IN_USE).increment(1.0);
        Ok(Self { pool: pool.clone(), pooled, in_transaction: false })
    }

    /// Opens a transaction that [`finish`](Self::finish) commits.
    #[cfg(feature = "postgres")]
    pub(crate) async fn in_transaction(mut self, begin: SqlStr) -> Result<Self> {
        sqlx::Executor::execute(&mut *self, begin).await?;
        self.in_transaction = true;
        Ok(self)
    }

    /// Gives the connection back to its pool; what was done is done.
    ///
    /// # Errors
    ///
    /// The database refused, or did not answer, where it is behind a pooler; otherwise none.
    pub async fn finish(mut self) -> Result<()> {
        if self.in_transaction {
            sqlx::Executor::execute(&mut *self, "COMMIT").await?;
        }
        if let Some(pooled) = self.pooled.take() {
            self.pool.give_back(pooled);
        }
        Ok(())
    }
}

impl<E: Engine> Drop for Connection<E> {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            pooled.discard();
        }
        gauge!(POOL_IN_USE).decrement(1.0);
    }
}

impl<E: Engine> Deref for Connection<E> {
    type Target = E::Connection;

    fn deref(&self) -> &E::Connection {
        &self.pooled.as_ref().expect("a connection is in use until it is finished").connection
    }
}

impl<E: Engine> DerefMut for Connection<E> {
    fn deref_mut(&mut self) -> &mut E::Connection {
        &mut self.pooled.as_mut().expect("a connection is in use until it is finished").connection
    }
}

/// A transaction that may write. Dropped uncommitted, it changed nothing, and its connection is closed.
#[derive(Debug)]
pub struct Transaction<E: Engine> {
    connection: Connection<E>,
}

impl<E: Engine> Transaction<E>
where
    for<'c> &'c mut E::Connection: sqlx::Executor<'c, Database = E>,
{
    /// Opens one by the engine's own way to say that it is going to write.
    pub(crate) async fn begin(mut connection: Connection<E>, statement: SqlStr) -> Result<Self> {
        sqlx::Executor::execute(&mut *connection, statement).await?;
        Ok(Self { connection })
    }

    /// Makes the changes durable and gives the connection back.
    ///
    /// # Errors
    ///
    /// The database refused, or did not answer; in the latter case it is unknown whether the changes were made.
    pub async fn commit(mut self) -> Result<()> {
        sqlx::Executor::execute(&mut *self.connection, "COMMIT").await?;
        self.connection.finish().await?;
        Ok(())
    }

    /// Undoes the changes and gives the connection back. Dropping the transaction undoes them too, at the price of its
    /// connection.
    ///
    /// # Errors
    ///
    /// The database did not answer; the changes are undone all the same.
    pub async fn rollback(mut self) -> Result<()> {
        sqlx::Executor::execute(&mut *self.connection, "ROLLBACK").await?;
        self.connection.finish().await?;
        Ok(())
    }
}

impl<E: Engine> Deref for Transaction<E> {
    type Target = E::Connection;

    fn deref(&self) -> &E::Connection {
        &self.connection
    }
}

impl<E: Engine> DerefMut for Transaction<E> {
    fn deref_mut(&mut self) -> &mut E::Connection {
        &mut self.connection
    }
}
