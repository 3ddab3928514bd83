use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Adjustment, Feed, Symbol, Timeframe};

/// What is kept filled: the bars of one symbol in one timeframe, from one feed, under one adjustment.
///
/// Bars of two series are never mixed: another feed or another adjustment is another series. Displayed as
/// `AAPL h1 sip raw`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    /// The instrument.
    pub symbol: Symbol,
    /// How much time one bar spans.
    pub timeframe: Timeframe,
    /// What the vendor built the bars from.
    pub feed: Feed,
    /// What prices were adjusted for.
    pub adjustment: Adjustment,
}

impl fmt::Display for Series {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} {}", self.symbol, self.timeframe, self.feed, self.adjustment)
    }
}
