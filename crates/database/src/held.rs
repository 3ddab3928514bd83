use std::ops::{Deref, DerefMut};

use crate::{Connection, Engine, Result, Transaction};

/// A connection for as long as a verb takes, in a transaction or not: what the statements of a verb run over.
#[derive(Debug)]
pub enum Held<E: Engine> {
    /// Statements that only read, each for itself.
    Reading(Connection<E>),
    /// Statements that are done together or not at all.
    Writing(Transaction<E>),
}

impl<E: Engine> Held<E>
where
    for<'c> &'c mut E::Connection: sqlx::Executor<'c, Database = E>,
{
    /// Keeps what was done, and gives the connection back.
    ///
    /// # Errors
    ///
    /// As [`Transaction::commit`], or [`Connection::finish`].
    pub async fn finish(self) -> Result<()> {
        match self {
            Self::Reading(connection) => connection.finish().await,
            Self::Writing(transaction) => transaction.commit().await,
        }
    }

    /// Undoes what was done, and gives the connection back.
    ///
    /// # Errors
    ///
    /// As [`Transaction::rollback`], or [`Connection::finish`].
    pub async fn undo(self) -> Result<()> {
        match self {
            Self::Reading(connection) => connection.finish().await,
            Self::Writing(transaction) => transaction.rollback().await,
        }
    }
}

impl<E: Engine> Deref for Held<E> {
    type Target = E::Connection;

    fn deref(&self) -> &E::Connection {
        match self {
            Self::Reading(connection) => connection,
            Self::Writing(transaction) => transaction,
        }
    }
}

impl<E: Engine> DerefMut for Held<E> {
    fn deref_mut(&mut self) -> &mut E::Connection {
        match self {
            Self::Reading(connection) => connection,
            Self::Writing(transaction) => transaction,
        }
    }
}
