use barkeep_types::{Grid, Symbol, Timeframe};
use chrono::TimeDelta;

/// What one request to a vendor can carry.
///
/// A page ends when either limit is reached, over all symbols of the request together. The default is the safe reading
/// of Alpaca's rules: it may expect more pages than there will be, never fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageModel {
    /// The bars a page holds.
    pub bars: u32,
    /// The minutes (for weeks and months: days) that a page's bars are made of, where the vendor derives bars from
    /// shorter ones and counts those; `None` if it counts only what it sends.
    pub source_bars: Option<u32>,
    /// The symbols a request may name.
    pub symbols: u32,
    /// The bytes of a request's address that its symbols may fill.
    pub url_bytes: u32,
}

impl Default for PageModel {
    fn default() -> Self {
        Self { bars: 10_000, source_bars: Some(10_000), symbols: 200, url_bytes: 4_096 }
    }
}

impl PageModel {
    /// The reading of Alpaca's documentation alone: a page is 10,000 bars, whatever they are made of.
    pub fn documented() -> Self {
        Self { source_bars: None, ..Self::default() }
    }

    /// The bytes a symbol takes in an address, its separator included: what is not a letter, a digit, `.` or `-` is
    /// escaped.
    pub fn url_bytes_of(symbol: &Symbol) -> u32 {
        let escaped = symbol.as_str().bytes().filter(|byte| *byte == b'/').count();
        u32::try_from(symbol.as_str().len() + 2 * escaped + "%2C".len()).unwrap_or(u32::MAX)
    }

    /// The share of a page that one symbol fills in one span.
    pub fn share(&self, timeframe: Timeframe, density: Density) -> f64 {
        let bars = density.bars / f64::from(self.bars.max(1));
        let is_native = matches!(timeframe, Timeframe::M1 | Timeframe::D1);
        match self.source_bars.filter(|_| !is_native) {
            Some(limit) => bars.max(density.source_bars / f64::from(limit.max(1))),
            None => bars,
        }
    }
}

/// How much a vendor sends of one symbol for one span of the grid, as a mean.
///
/// A vendor knows no regular hours: a request over several sessions brings, and costs, their extended hours too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Density {
    /// Bars a span.
    pub bars: f64,
    /// Bars of the shorter timeframe they are made of, a span: minutes, or days for weeks and months.
    pub source_bars: f64,
}

impl Density {
    /// The most there can be: every minute of extended hours (16 hours, or the longest span if that is longer) trades.
    pub fn full(grid: &Grid) -> Self {
        let longest = grid.spans().iter().map(|span| span.length()).max().unwrap_or_default();
        let session = longest.max(TimeDelta::hours(16));
        let minutes = session.num_minutes() as f64;
        match (grid.timeframe(), grid.timeframe().minutes()) {
            (_, Some(length)) => {
                // One more than fits where sessions start in the middle of a bar.
                let bars = (minutes / f64::from(length)).ceil() + f64::from(u32::from(length > 60));
                Self { bars, source_bars: minutes }
            }
            (Timeframe::W1, None) => Self { bars: 1.0, source_bars: 7.0 },
            (Timeframe::Mn1, None) => Self { bars: 1.0, source_bars: 31.0 },
            _ => Self { bars: 1.0, source_bars: 1.0 },
        }
    }
}
