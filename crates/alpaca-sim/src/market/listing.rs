//! What there is to trade.

use barkeep_types::Symbol;
use chrono::NaiveDate;

/// One instrument of the synthetic market.
///
/// ```
/// use barkeep_alpaca_sim::Listing;
///
/// let thin = Listing::new("THIN".parse()?).with_liquidity(0.01).with_price(3.5);
/// # Ok::<(), barkeep_types::InvalidSymbol>(())
/// ```
#[derive(Clone, Debug)]
pub struct Listing {
    pub(crate) symbol: Symbol,
    pub(crate) liquidity: f64,
    pub(crate) price: Option<f64>,
    pub(crate) first: Option<NaiveDate>,
    pub(crate) last: Option<NaiveDate>,
}

impl Listing {
    /// Lists an instrument that trades in nearly every minute, at a price drawn from the market's seed. A symbol with
    /// a slash, like `BTC/USD`, is a coin and trades around the clock.
    pub fn new(symbol: Symbol) -> Self {
        Self { symbol, liquidity: 1.0, price: None, first: None, last: None }
    }

    /// Sets the share of regular minutes that have a trade, 0 to 1; extended hours have about half of that.
    #[must_use]
    pub fn with_liquidity(self, liquidity: f64) -> Self {
        Self { liquidity: liquidity.clamp(0.0, 1.0), ..self }
    }

    /// Sets the price that the instrument swings around, in dollars, before any split.
    #[must_use]
    pub fn with_price(self, price: f64) -> Self {
        Self { price: Some(price), ..self }
    }

    /// Sets the first day of trading.
    #[must_use]
    pub fn listed_from(self, first: NaiveDate) -> Self {
        Self { first: Some(first), ..self }
    }

    /// Sets the last day of trading: delisted from the next day on.
    #[must_use]
    pub fn listed_until(self, last: NaiveDate) -> Self {
        Self { last: Some(last), ..self }
    }
}
