use chrono::{DateTime, Utc};

/// How much of a series there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// How many bars the series' coverage holds, by the ledger.
    pub bars: u64,
    /// Where the first bar starts.
    pub first: Option<DateTime<Utc>>,
    /// Where the last bar starts.
    pub last: Option<DateTime<Utc>>,
    /// When the series' coverage last changed, by the database's clock.
    pub fetched_at: Option<DateTime<Utc>>,
}
