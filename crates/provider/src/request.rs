use barkeep_types::{Adjustment, Feed, Symbol, TimeRange, Timeframe};

/// Which bars are wanted: those of some symbols that start within a half-open range.
///
/// ```
/// use barkeep_provider::BarsRequest;
/// use barkeep_types::{Adjustment, Feed, TimeRange, Timeframe};
///
/// let day = TimeRange::new("2024-03-08T14:30:00Z".parse()?, "2024-03-08T21:00:00Z".parse()?)?;
/// let symbols = ["MSFT".parse()?, "AAPL".parse()?, "AAPL".parse()?];
/// let request = BarsRequest::new(symbols, Timeframe::M1, Feed::SIP, day)?
///     .with_adjustment(Adjustment::SPLIT);
/// assert_eq!(request.symbols().len(), 2);
/// assert_eq!(request.symbols()[0].as_str(), "AAPL");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BarsRequest {
    // Invariant: sorted, unique, not empty.
    symbols: Vec<Symbol>,
    timeframe: Timeframe,
    feed: Feed,
    adjustment: Adjustment,
    range: TimeRange,
}

/// A request for the bars of no symbol at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request for bars names no symbol")]
pub struct NoSymbols;

impl NoSymbols {
    /// The stable code of this error.
    pub const CODE: &str = "VALIDATION_ERROR";
}

impl BarsRequest {
    /// Asks for unadjusted bars of `symbols`, in any order; one that is named twice is asked for once.
    ///
    /// # Errors
    ///
    /// [`NoSymbols`] if there are none.
    pub fn new(
        symbols: impl IntoIterator<Item = Symbol>,
        timeframe: Timeframe,
        feed: Feed,
        range: TimeRange,
    ) -> Result<Self, NoSymbols> {
        let mut symbols: Vec<Symbol> = symbols.into_iter().collect();
        symbols.sort_unstable();
        symbols.dedup();
        if symbols.is_empty() {
            return Err(NoSymbols);
        }
        Ok(Self { symbols, timeframe, feed, adjustment: Adjustment::RAW, range })
    }

    /// Asks for adjusted bars.
    #[must_use]
    pub fn with_adjustment(self, adjustment: Adjustment) -> Self {
        Self { adjustment, ..self }
    }

    /// The symbols: sorted, each once, at least one.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// How much time one bar spans.
    pub fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// What the bars are built from.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What prices are adjusted for.
    pub fn adjustment(&self) -> Adjustment {
        self.adjustment
    }

    /// Where the wanted bars start.
    pub fn range(&self) -> TimeRange {
        self.range
    }

    /// The same request for some of its symbols; `None` if that leaves none.
    pub fn keep(&self, wanted: impl FnMut(&&Symbol) -> bool) -> Option<Self> {
        let symbols: Vec<Symbol> = self.symbols.iter().filter(wanted).cloned().collect();
        (!symbols.is_empty()).then(|| Self { symbols, ..self.clone() })
    }

    /// The same request over another range.
    #[must_use]
    pub fn over(&self, range: TimeRange) -> Self {
        Self { range, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> TimeRange {
        TimeRange::new("2024-03-08T14:30:00Z".parse().unwrap(), "2024-03-08T21:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_request_names_a_symbol() {
        assert_eq!(BarsRequest::new([], Timeframe::M1, Feed::SIP, range()), Err(NoSymbols));
    }

    #[test]
    fn keeping_none_leaves_no_request() {
        let symbols = ["A".parse().unwrap(), "B".parse().unwrap()];
        let request = BarsRequest::new(symbols, Timeframe::M1, Feed::SIP, range()).unwrap();
        assert_eq!(request.keep(|symbol| symbol.as_str() == "B").unwrap().symbols(), &request.symbols()[1..]);
        assert_eq!(request.keep(|_| false), None);
    }
}
