use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Result;
use crate::row::Columns;

impl Columns for PgRow {
    fn integer(&self, at: usize) -> Result<i64> {
        Ok(self.try_get(at)?)
    }

    fn optional_integer(&self, at: usize) -> Result<Option<i64>> {
        Ok(self.try_get(at)?)
    }

    fn number(&self, at: usize) -> Result<f64> {
        Ok(self.try_get(at)?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<f64>> {
        Ok(self.try_get(at)?)
    }

    fn text(&self, at: usize) -> Result<&str> {
        Ok(self.try_get(at)?)
    }

    fn instant(&self, at: usize) -> Result<DateTime<Utc>> {
        Ok(self.try_get(at)?)
    }

    fn optional_instant(&self, at: usize) -> Result<Option<DateTime<Utc>>> {
        Ok(self.try_get(at)?)
    }
}
