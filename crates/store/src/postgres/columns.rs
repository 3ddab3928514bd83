use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Result;
use crate::error::failed;
use crate::row::Columns;

impl Columns for PgRow {
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
        self.try_get(at).map_err(failed)
    }

    fn optional_instant(&self, at: usize) -> Result<Option<DateTime<Utc>>> {
        self.try_get(at).map_err(failed)
    }
}
