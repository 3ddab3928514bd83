use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Database, Decode, Row, Type};

use crate::Result;
use crate::error::failed;

/// How a database keeps instants.
pub trait Instants: Database {
    type Stored;

    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt): no instant is so far away.
    fn instant(stored: Self::Stored) -> Result<DateTime<Utc>>;
}

/// A row, whichever database it came from. Columns count from 0.
pub trait Columns {
    fn integer(&self, at: usize) -> Result<i64>;
    fn optional_integer(&self, at: usize) -> Result<Option<i64>>;
    fn number(&self, at: usize) -> Result<f64>;
    fn optional_number(&self, at: usize) -> Result<Option<f64>>;
    fn text(&self, at: usize) -> Result<&str>;
    fn instant(&self, at: usize) -> Result<DateTime<Utc>>;
    fn optional_instant(&self, at: usize) -> Result<Option<DateTime<Utc>>>;
}

impl<R: Row> Columns for R
where
    R::Database: Instants,
    usize: ColumnIndex<R>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    f64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
    <R::Database as Instants>::Stored: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    fn integer(&self, at: usize) -> Result<i64> {
        self.try_get(at).map_err(failed)
    }

    fn optional_integer(&self, at: usize) -> Result<Option<i64>> {
        self.try_get(at).map_err(failed)
    }

    fn number(&self, at: usize) -> Result<f64> {
        self.try_get(at).map_err(failed)
    }

    fn optional_number(&self, at: usize) -> Result<Option<f64>> {
        self.try_get(at).map_err(failed)
    }

    fn text(&self, at: usize) -> Result<&str> {
        self.try_get(at).map_err(failed)
    }

    fn instant(&self, at: usize) -> Result<DateTime<Utc>> {
        R::Database::instant(self.try_get(at).map_err(failed)?)
    }

    fn optional_instant(&self, at: usize) -> Result<Option<DateTime<Utc>>> {
        let stored: Option<<R::Database as Instants>::Stored> = self.try_get(at).map_err(failed)?;
        stored.map(R::Database::instant).transpose()
    }
}
