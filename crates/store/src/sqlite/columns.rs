use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::failed;
use crate::row::Columns;
use crate::{Error, Result};

/// Instants are whole seconds since 1970.
impl Columns for SqliteRow {
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
        instant(self.try_get(at).map_err(failed)?)
    }

    fn optional_instant(&self, at: usize) -> Result<Option<DateTime<Utc>>> {
        self.try_get::<Option<i64>, _>(at).map_err(failed)?.map(instant).transpose()
    }
}

fn instant(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| Error::corrupt(format!("the instant {seconds}")))
}
