use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_types::Series;

use crate::Result;

/// Whether bars may have changed since somebody last looked, told without reading them.
///
/// What was covered of a year and the mark of its latest [`Rewrite`] are kept by whoever reads its bars, and taken *before*
/// they are read. As long as both stay the same, so do the bars of that year, if the store has gone through the [`Moment`]
/// at which they were taken: it is then the same store, and was not put back to an earlier time. The states of what is
/// covered do not matter. What other hands change in the tables leaves no trace, nor does what a process of an earlier
/// version writes that still ran when the tables were brought up to date.
#[async_trait]
pub trait Traces: Debug + Send + Sync + 'static {
    /// How far the store has come; `None` if no page was ever stored.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    async fn moment(&self) -> Result<Option<Moment>>;

    /// Whether the store has gone through that moment.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database).
    async fn has_passed(&self, moment: &Moment) -> Result<bool>;

    /// The years of each series in which bars changed in a way that coverage does not show, earliest first, in one round
    /// trip for any number of series.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database), or [`Error::Corrupt`](crate::Error::Corrupt).
    async fn rewrites(&self, series: &[Series]) -> Result<Vec<Vec<Rewrite>>>;
}

const _: fn(&dyn Traces) = |_| {}; // Stays usable as `dyn Traces`.

/// A moment in the life of a store, as a text to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Moment(String);

impl Moment {
    /// The moment that was kept as this text; one that is no moment was never passed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to keep.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of the page that it names.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn batch(&self) -> Option<i64> {
        self.0.split_once('@')?.0.parse().ok()
    }
}

/// A year of a series in which bars were revised, came late or without coverage, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewrite {
    /// The year (UTC) in which the bars start.
    pub year: i32,
    /// Another one every time.
    pub mark: String,
}

impl Rewrite {
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn new(year: i32, mark: String) -> Self {
        Self { year, mark }
    }
}
