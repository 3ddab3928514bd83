//! Providers for tests and examples: one over bars in memory, one that breaks on command, and a mock.
//!
//! ```
//! use barkeep_provider::testing::{Fault, FaultyProvider, MemoryProvider};
//! use barkeep_provider::{BarsRequest, ProviderExt, Retrying};
//! # use barkeep_types::{Adjustment, Bar, Feed, Series, TimeRange, Timeframe};
//! # use futures::TryStreamExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let start = "2024-03-08T14:30:00Z".parse()?;
//! # let bar = Bar { start, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0, vwap: None, trade_count: None };
//! # let symbol: barkeep_types::Symbol = "AAPL".parse()?;
//! # let series = Series { symbol: symbol.clone(), timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW };
//! # let day = TimeRange::new(start, "2024-03-08T21:00:00Z".parse()?)?;
//! let memory = MemoryProvider::default().with_bars(series, [bar]);
//! let provider = Retrying::new(FaultyProvider::new(memory).with_fault(0, Fault::Unavailable));
//! let request = BarsRequest::new([symbol], Timeframe::M1, Feed::SIP, day)?;
//! let bars: Vec<_> = provider.bars(request).try_collect().await?;
//! assert_eq!(bars.len(), 1);
//! # Ok(())
//! # }
//! ```

mod faulty;
mod memory;

use async_trait::async_trait;

use crate::{BarsRequest, Limits, Page, PageToken, Provider, Result};

pub use faulty::{Fault, FaultyProvider};
pub use memory::{MemoryProvider, Refusal};

mockall::mock! {
    /// A provider that expects what `mockall` is told to expect.
    #[derive(Debug)]
    pub Provider {}

    #[async_trait]
    impl Provider for Provider {
        fn limits(&self) -> Limits;
        async fn page<'a, 'b, 'c>(&'a self, request: &'b BarsRequest, token: Option<&'c PageToken>) -> Result<Page>;
    }
}
