#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod allowance;
mod answer;
mod calls;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
#[cfg(test)]
mod example;
mod ext;
mod fetch;
mod limits;
mod page;
mod paging;
mod rate_limited;
mod request;
mod retry_policy;
mod retrying;
mod shared;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::fmt::Debug;

use async_trait::async_trait;

pub use allowance::{Allowance, Permit};
pub use answer::Answer;
pub use calls::Calls;
pub use error::{BoxError, Error, Offender, Result, Retry};
pub use ext::ProviderExt;
pub use fetch::{Fetch, Fetched};
pub use limits::{Available, Limits};
pub use page::{CoverageProof, Page, PageToken, ProvenPage, Quota, SymbolBars};
pub use rate_limited::RateLimited;
pub use request::{BarsRequest, NoSymbols};
pub use retry_policy::RetryPolicy;
pub use retrying::Retrying;

/// Where bars come from: one page at a time.
///
/// This is all that a vendor owes; callers use [`ProviderExt`], which follows tokens, checks pages and tells what they
/// prove.
///
/// # Contract
///
/// - Bars are the ones whose start lies in the request's half-open range, labelled by where they start, which is a whole
///   minute.
/// - Pages are sorted by symbol (by its bytes), then by time. A page may end anywhere, within a symbol too, and may hold
///   fewer bars than allowed, or none.
/// - `token` is `None` for the first page, then what the page before gave; everything else in the request stays the
///   same. The page without a token is the last one.
/// - A symbol that the vendor knows nothing of is left out, or named by [`Error::InvalidSymbol`] or
///   [`Error::SymbolNotFound`].
/// - Bars are passed on as they came: what cannot be true is found by the caller.
/// - Dropping the future ends the request.
///
/// The `conformance` feature has a suite that holds an implementation to this.
#[async_trait]
pub trait Provider: Debug + Send + Sync + 'static {
    /// What the vendor allows and how its pages are cut.
    fn limits(&self) -> Limits;

    /// Asks for one page.
    ///
    /// # Errors
    ///
    /// Why there is no page, by what the caller can do about it.
    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page>;

    /// Asks for one page, and adds to `calls` every request that the vendor gets to see for it.
    ///
    /// That is one unless an implementation knows better: a wrapper hands `calls` on to what it wraps, and a vendor
    /// counts what it sends if that may be nothing.
    ///
    /// # Errors
    ///
    /// As from [`Provider::page`]; what was sent in vain is counted too.
    async fn page_counted(&self, request: &BarsRequest, token: Option<&PageToken>, calls: &Calls) -> Result<Page> {
        calls.add_one();
        self.page(request, token).await
    }
}

const _: fn(&dyn Provider) = |_| {}; // Stays usable as `dyn Provider`.
