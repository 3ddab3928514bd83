use barkeep_types::Symbol;

use crate::load::{Load, Loads};

/// What one request to a vendor can carry.
///
/// A page ends when either limit is reached, over all symbols of the request together. The default is the safe reading
/// of Alpaca's rules: it may expect more pages than there will be, never fewer. Limits of zero count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageModel {
    /// The bars a page holds.
    pub bars: u32,
    /// The minutes (for weeks and months: days) that a page's bars are made of, where the vendor derives bars from
    /// shorter ones and counts those; `None` if it counts only what it sends. `m1` and `d1` are never derived.
    pub source_bars: Option<u32>,
    /// The symbols a request may name.
    pub symbols: u32,
    /// The bytes of a request's address that its symbols may fill; a longer symbol goes alone.
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

    /// The bytes a symbol takes in an address, its separator included: commas and slashes are escaped.
    pub fn url_bytes_of(symbol: &Symbol) -> u32 {
        let slashes = symbol.as_str().bytes().filter(|byte| *byte == b'/').count();
        // A symbol has at most 24 bytes.
        (symbol.as_str().len() + 2 * slashes + "%2C".len()) as u32
    }
}

/// How much a vendor sends of one symbol for one session, as a mean, extended hours included.
///
/// Learned from what was fetched. Numbers that cannot be (negative, not a number, more than trade in every minute
/// makes) count as the most there can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Density {
    /// Bars a session.
    pub bars: f64,
    /// Bars of the shorter timeframe they are made of, a session: minutes, or days for weeks and months.
    pub source_bars: f64,
}

impl Density {
    /// The parts of what could be.
    pub(crate) fn fill(density: Option<Self>, loads: &Loads) -> Load {
        let mean = loads.mean();
        let part = |learned: f64, most: f64| {
            let part = learned / most;
            if part >= 0.0 { part.min(1.0) } else { 1.0 }
        };
        density.map_or(Load { bars: 1.0, source_bars: 1.0 }, |density| Load {
            bars: part(density.bars, mean.bars),
            source_bars: part(density.source_bars, mean.source_bars),
        })
    }
}
