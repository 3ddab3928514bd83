use std::fmt;

use barkeep_types::{
    EmptyRange, InvalidAdjustment, InvalidFeed, InvalidHours, InvalidSymbol, InvalidTimeframe, Timeframe,
};

use crate::Window;

/// One reason why a definition cannot be kept filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The name is empty, too long, or has characters that names may not have.
    #[error("invalid name {0:?}: expected 1 to 64 letters, digits, '_', '-' or '.'")]
    Name(String),
    /// A list is empty.
    #[error("no {0}")]
    Missing(&'static str),
    /// A symbol or timeframe is listed twice.
    #[error("{0} is listed twice")]
    Doubled(String),
    /// There are more symbols than a definition may have.
    #[error("{0} symbols: at most 10000 are allowed")]
    TooManySymbols(usize),
    /// The window's days are none or too many.
    #[error("a window of {0} days: expected 1 to {max}", max = Window::MAX_DAYS)]
    Days(u32),
    /// The slices are to have no symbols at all.
    #[error("a batch of 0 symbols: expected at least 1")]
    BatchSize,
    /// Bars cannot be built from this timeframe.
    #[error("bars cannot be derived from {0}: expected m1 or m15")]
    Source(Timeframe),
    /// The window's end is not after its start.
    #[error(transparent)]
    Window(#[from] EmptyRange),
    /// There are more labels than a definition may have.
    #[error("{0} labels: at most 64 are allowed")]
    TooManyLabels(usize),
    /// A label is empty, longer than 256 bytes, or holds control characters.
    #[error("invalid label {0:?}: expected up to 256 bytes of plain text")]
    Label(String),
    /// A text is no symbol.
    #[error(transparent)]
    Symbol(#[from] InvalidSymbol),
    /// A text is no timeframe.
    #[error(transparent)]
    Timeframe(#[from] InvalidTimeframe),
    /// A text is no feed.
    #[error(transparent)]
    Feed(#[from] InvalidFeed),
    /// A text is no adjustment.
    #[error(transparent)]
    Adjustment(#[from] InvalidAdjustment),
    /// A text names no hours.
    #[error(transparent)]
    Hours(#[from] InvalidHours),
}

/// Every reason why a definition cannot be kept filled; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The reasons.
    pub fn reasons(&self) -> &[Fault] {
        &self.0
    }

    pub(crate) fn none_or(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A list of 10,000 wrong symbols must not become a message of 10,000 lines.
        const SHOWN: usize = 20;
        formatter.write_str("invalid definition: ")?;
        for (index, fault) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{fault}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, "; and {more} more"),
        }
    }
}

impl std::error::Error for Faults {}
