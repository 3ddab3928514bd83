#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod bounded;
#[cfg(feature = "postgres")]
mod conflict;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod connection;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod created;
mod error;
#[cfg(feature = "sqlite")]
mod filesystem;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod held;
#[cfg(feature = "postgres")]
mod listener;
mod location;
mod migrations;
#[cfg(feature = "sqlite")]
mod original;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod pool;
mod pool_waits;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod waits;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use connection::{Connection, Engine, Transaction};
pub use error::{Error, Result};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use held::Held;
#[cfg(feature = "postgres")]
pub use listener::Listener;
pub use location::{InvalidLocation, Location};
pub use migrations::{Migrations, Step};
pub use pool_waits::PoolWaits;
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresSettings};
pub use schema::{InvalidSchemaName, SchemaName};
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteSettings};
