use std::fmt::Debug;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use barkeep_provider::Result;
use barkeep_types::{Series, Symbol};
use chrono::NaiveDate;

/// What a vendor knows beside bars: which symbols there are, and what rewrote their history.
///
/// Not every vendor tells. Without it a symbol that does not exist looks like one that does not trade, and adjusted series
/// stay as they were fetched.
#[async_trait]
pub trait Reference: Debug + Send + Sync + 'static {
    /// Those of `symbols` that the vendor neither lists nor ever listed.
    ///
    /// # Errors
    ///
    /// As from a request for bars.
    async fn unknown(&self, symbols: &[Symbol]) -> Result<Vec<Symbol>>;

    /// Those of `series` that were rewritten by corporate actions processed on `dates` (both included): adjusted ones, all
    /// of whose bars are to be fetched anew.
    ///
    /// # Errors
    ///
    /// As from a request for bars.
    async fn rewritten(&self, series: &[Series], dates: RangeInclusive<NaiveDate>) -> Result<Vec<Series>>;
}

const _: fn(&dyn Reference) = |_| {}; // Stays usable as `dyn Reference`.

#[cfg(feature = "alpaca")]
#[async_trait]
impl Reference for barkeep_alpaca::Alpaca {
    async fn unknown(&self, symbols: &[Symbol]) -> Result<Vec<Symbol>> {
        use barkeep_alpaca::AssetClass;

        let (coins, stocks): (Vec<&Symbol>, Vec<&Symbol>) =
            symbols.iter().partition(|symbol| symbol.as_str().contains('/'));
        let mut unknown = Vec::new();
        for (class, mut symbols) in [(AssetClass::Stock, stocks), (AssetClass::Crypto, coins)] {
            if !symbols.is_empty() {
                let assets = self.assets(class).await?;
                symbols.retain(|symbol| !assets.iter().any(|asset| asset.symbol == **symbol));
                unknown.extend(symbols.into_iter().cloned());
            }
        }
        Ok(unknown)
    }

    async fn rewritten(&self, series: &[Series], dates: RangeInclusive<NaiveDate>) -> Result<Vec<Series>> {
        self.stale(series, dates).await
    }
}
