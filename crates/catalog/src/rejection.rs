use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::Series;
use chrono::{DateTime, Utc};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::Error;
use crate::Result;

/// A series that the vendor refused, so that it is asked for no more: a malformed or unknown symbol, or bars that cannot
/// be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What was refused.
    pub series: Series,
    /// The stable code of the refusal: `INVALID_SYMBOL`.
    pub code: String,
    /// The vendor's reason.
    pub reason: String,
    /// When it was refused, by the database's clock.
    pub rejected_at: DateTime<Utc>,
}

/// What a vendor refused of what the definitions name.
///
/// A bad symbol must not cost a request in every slice for ever, and must not be forgotten either: it is listed with its
/// reason until somebody forgives it.
#[async_trait]
pub trait Rejections: Debug + Send + Sync + 'static {
    /// Notes that `series` was refused; the latest reason counts.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    async fn reject(&self, series: &Series, code: &str, reason: &str) -> Result<()>;

    /// Everything refused, by series.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn rejections(&self) -> Result<Vec<Rejection>>;

    /// Forgets that these series were refused, so that they are asked for again; returns how many had been.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    async fn forgive(&self, series: &[Series]) -> Result<u64>;
}

const _: fn(&dyn Rejections) = |_| {}; // Stays usable as `dyn Rejections`.

/// A row of the table of rejections: symbol, timeframe, feed, adjustment, code, reason, and when.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) type RejectionRow = (String, String, String, String, String, String, DateTime<Utc>);

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn rejection(row: RejectionRow) -> Result<Rejection> {
    let (symbol, timeframe, feed, adjustment, code, reason, rejected_at) = row;
    let series = Series {
        symbol: symbol.parse().map_err(Error::corrupt)?,
        timeframe: timeframe.parse().map_err(Error::corrupt)?,
        feed: feed.parse().map_err(Error::corrupt)?,
        adjustment: adjustment.parse().map_err(Error::corrupt)?,
    };
    Ok(Rejection { series, code, reason, rejected_at })
}
