//! Definitions that many people start with.

use barkeep_types::{Symbol, Timeframe};

use crate::{Definition, Window};

const TECH20: [&str; 20] = [
    "AAPL", "MSFT", "NVDA", "GOOGL", "TSLA", "AMD", "META", "NFLX", "ADBE", "AMZN", "CRM", "CSCO", "INTC", "ORCL",
    "QCOM", "TXN", "AVGO", "MU", "AMAT", "LRCX",
];

/// Twenty large technology companies, hourly, over the last two years.
///
/// ```
/// let definition = barkeep_catalog::presets::tech20();
/// assert_eq!(definition.series().count(), 20);
/// assert!(definition.check().is_ok());
/// ```
pub fn tech20() -> Definition {
    // Read like any symbol; the doctest above fails should one of them be wrong.
    let symbols: Vec<Symbol> = TECH20.iter().filter_map(|text| text.parse().ok()).collect();
    Definition::new("tech20", symbols, vec![Timeframe::H1], Window::LastDays(730))
}
