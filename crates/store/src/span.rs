use std::fmt;
use std::str::FromStr;

use barkeep_types::{Coverage, TimeRange};
use chrono::{DateTime, Utc};

/// A stretch of a series' time that was fetched, and what is known of it.
///
/// Spans of one series are disjoint and coalesced: neighbours differ in state or in being empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The time.
    pub range: TimeRange,
    /// How final it is.
    pub state: State,
    /// How many bars it holds; zero if nothing traded.
    pub rows: u64,
    /// How often it was fetched and found empty; zero if it holds bars. Grows when a span in doubt is found empty again.
    pub empty_checks: u32,
    /// When the span last changed, by the database's clock.
    pub fetched_at: DateTime<Utc>,
}

/// How final coverage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Fetched once it could no longer change.
    Covered,
    /// Fetched while it could still change: to be fetched again once settled.
    Provisional,
    /// In doubt: to be fetched again.
    Suspect,
}

/// A text that names no state of coverage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid coverage state {0:?}: expected covered, provisional or suspect")]
pub struct InvalidState(pub String);

impl State {
    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Provisional => "provisional",
            Self::Suspect => "suspect",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = InvalidState;

    fn from_str(text: &str) -> Result<Self, InvalidState> {
        [Self::Covered, Self::Provisional, Self::Suspect]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| InvalidState(text.to_owned()))
    }
}

/// The time of the spans whose state is accepted.
///
/// ```
/// use barkeep_store::{Span, State, covered};
///
/// fn settled(spans: &[Span]) -> barkeep_types::Coverage {
///     covered(spans, |span| span.state == State::Covered)
/// }
/// # assert!(settled(&[]).is_empty());
/// ```
pub fn covered(spans: &[Span], accept: impl Fn(&Span) -> bool) -> Coverage {
    spans.iter().filter(|span| accept(span)).map(|span| span.range).collect()
}
