use std::fmt;

use barkeep_types::{Series, TimeRange};
use chrono::{DateTime, Utc};

/// Where bars and coverage do not agree: something that barkeep does not do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A span's rows are not the bars within it.
    RowsDiffer {
        /// The series.
        series: Series,
        /// The span.
        range: TimeRange,
        /// What the ledger says.
        ledger: u64,
        /// How many bars there are.
        stored: u64,
    },
    /// Bars that no span covers. Pages leave such bars too: those of an unfinished symbol.
    Uncovered {
        /// The series.
        series: Series,
        /// How many.
        bars: u64,
        /// Where the first of them starts.
        first: DateTime<Utc>,
        /// Where the last of them starts.
        last: DateTime<Utc>,
    },
    /// A span that starts before the one before it ends.
    Overlapping {
        /// The series.
        series: Series,
        /// The span.
        range: TimeRange,
    },
    /// Bars whose page is not known.
    UnknownOrigin {
        /// The series.
        series: Series,
        /// How many.
        bars: u64,
    },
    /// Rows of a series that is not there.
    Orphaned {
        /// The id that the rows name.
        id: i64,
        /// How many bars.
        bars: u64,
        /// How many spans.
        spans: u64,
    },
}

impl Finding {
    /// Whether barkeep leaves such things itself, and puts them right as it goes on.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Uncovered { .. })
    }
}

/// What was found, how it may have come about, and what to do.
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowsDiffer { series, range, ledger, stored } => write!(
                formatter,
                "{series}: {stored} bars where coverage says {ledger} over {range}; bars were added or deleted by other \
                 hands: suspect the range, and it is fetched again"
            ),
            Self::Uncovered { series, bars, first, last } => write!(
                formatter,
                "{series}: {bars} bars from {first} to {last} are not covered; they came ahead of the page that proves \
                 their time, or from other hands: they are fetched again and compared"
            ),
            Self::Overlapping { series, range } => write!(
                formatter,
                "{series}: the span {range} starts before the one before it ends; coverage was changed by other hands: \
                 delete one of the two"
            ),
            Self::UnknownOrigin { series, bars } => write!(
                formatter,
                "{series}: {bars} bars of a page that is not known; they were added by other hands, or the page was \
                 deleted: when they were fetched cannot be told"
            ),
            Self::Orphaned { id, bars, spans } => write!(
                formatter,
                "series {id} is not there, but {bars} bars and {spans} spans name it; it was deleted by other hands: \
                 delete them too"
            ),
        }
    }
}
