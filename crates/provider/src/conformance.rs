//! What every provider must do, as a suite that a vendor's crate runs on its own.
//!
//! [`provider_conformance!`](crate::provider_conformance) lists the cases once; each becomes a test. The vendor gives a
//! [`Subject`]: a provider whose bars are known from elsewhere, never from the provider itself. The tests run on tokio:
//!
//! ```toml
//! [dev-dependencies]
//! barkeep-provider = { version = "0.1", features = ["conformance"] }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! ```no_run
//! # use barkeep_provider::conformance::Subject;
//! # async fn subject() -> Subject { std::future::pending().await }
//! # fn main() {}
//! barkeep_provider::provider_conformance!(subject().await);
//! ```
//!
//! Choose a truth in which something can go wrong: bars before the range, after it and right at its end, prices that
//! differ from bar to bar, and one symbol that the vendor does not know. A provider may leave that one out or refuse it by
//! name. Every failure says what is wrong with the provider's pages, not only that something is.

#![expect(clippy::missing_panics_doc, reason = "a case that fails panics: that is how it tells")]

mod answers;
mod differences;
mod pages;
mod proofs;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

use barkeep_types::{Bar, TimeRange};
use futures::TryStreamExt;

pub use answers::*;
pub use pages::*;
pub use proofs::*;

use differences::{BySymbol, by_symbol};

use crate::{BarsRequest, Error, Page, PageToken, ProvenPage, Provider, ProviderExt, SymbolBars};

/// A provider, a request, and its true answer.
#[derive(Debug)]
pub struct Subject {
    provider: Arc<dyn Provider>,
    request: BarsRequest,
    truth: Vec<SymbolBars>,
    _alive: Box<dyn Any + Send>,
}

impl Subject {
    /// `truth` is what answers `request`: at least two symbols have bars, the first of them two or more; at least one that
    /// is asked for has none; and all of them do not fit on one page.
    ///
    /// # Panics
    ///
    /// If the truth is too small to test anything.
    pub fn new(provider: impl Provider, request: BarsRequest, mut truth: Vec<SymbolBars>) -> Self {
        truth.retain(|of| !of.bars.is_empty());
        truth.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        let count: usize = truth.iter().map(|of| of.bars.len()).sum();
        let (limits, symbols) = (provider.limits(), request.symbols());
        assert!(truth.len() >= 2, "the truth must have bars of two symbols or more, but has some of {}", truth.len());
        assert!(truth[0].bars.len() >= 2, "the truth must have two bars or more of {}", truth[0].symbol);
        assert!(truth.len() < symbols.len(), "the request must name a symbol of which the truth has no bars");
        let fits = limits.bars_a_page;
        assert!(count > fits as usize, "the truth must not fit on one page: {count} bars, where {fits} do");
        let most = limits.symbols_a_request;
        assert!(symbols.len() <= most, "the request must be one: {} symbols, where {most} are allowed", symbols.len());
        for of in &truth {
            let is_asked_for = symbols.contains(&of.symbol);
            assert!(is_asked_for, "the truth has bars of {}, which the request does not name", of.symbol);
            let is_within = of.bars.iter().all(|bar| request.range().contains(bar.start));
            assert!(is_within, "the truth has bars of {} outside of the request's range", of.symbol);
        }
        Self { provider: Arc::new(provider), request, truth, _alive: Box::new(()) }
    }

    /// Keeps something alive as long as the subject: the server that answers, say.
    #[must_use]
    pub fn with_alive(self, alive: impl Any + Send) -> Self {
        Self { _alive: Box::new(alive), ..self }
    }

    /// A start that has bars before and after it.
    fn middle(&self) -> Bar {
        let bars = &self.truth[0].bars;
        bars[bars.len() / 2]
    }

    /// The shortest range from the beginning in which two symbols have bars: where a page holds both, if any does.
    fn short(&self) -> TimeRange {
        let firsts = [self.truth[0].bars[0].start, self.truth[1].bars[0].start];
        let (first, last) = (firsts[0].min(firsts[1]), firsts[0].max(firsts[1]));
        TimeRange::new(first, last + chrono::TimeDelta::nanoseconds(1)).expect("an instant after the last")
    }

    fn truth(&self) -> BySymbol {
        by_symbol(self.truth.clone())
    }

    /// The request without the symbols that the provider refuses by name: it may, where the truth has no bars of them.
    async fn accepted(&self, request: &BarsRequest) -> BarsRequest {
        let mut request = request.clone();
        loop {
            let refused = match self.provider.page(&request, None).await {
                Err(
                    Error::InvalidSymbol { symbol: Some(symbol), .. }
                    | Error::SymbolNotFound { symbol: Some(symbol), .. },
                ) => symbol,
                _ => return request,
            };
            let has_bars = self.truth.iter().any(|of| of.symbol == refused);
            assert!(!has_bars, "the provider refuses {refused}, of which the truth has bars");
            let is_named = request.symbols().contains(&refused);
            assert!(is_named, "the provider refuses {refused}, which was not asked for");
            request = request.keep(|symbol| **symbol != refused).expect("a symbol with bars is left");
        }
    }

    /// The pages of a request as they come, unchecked.
    async fn raw(&self, request: &BarsRequest) -> Vec<Page> {
        let request = self.accepted(request).await;
        let (mut pages, mut token): (Vec<Page>, Option<PageToken>) = (Vec::new(), None);
        let mut seen = HashSet::new();
        loop {
            let number = pages.len() + 1;
            let page = self.provider.page(&request, token.as_ref()).await;
            let page = page.unwrap_or_else(|error| panic!("there is no page {number}, but an error: {error}"));
            token.clone_from(&page.next);
            pages.push(page);
            match &token {
                None => return pages,
                Some(next) => {
                    assert!(seen.insert(next.clone()), "page {number} leads to the token {next:?}, as a page before")
                }
            }
        }
    }

    /// The pages of a request, checked.
    async fn proven(&self, request: &BarsRequest) -> Vec<ProvenPage> {
        let request = self.accepted(request).await;
        let pages: Result<_, Error> = self.provider.pages(request).try_collect().await;
        pages.unwrap_or_else(|error| panic!("the pages do not stand up to being checked: {error}"))
    }

    async fn answer(&self, request: &BarsRequest) -> BySymbol {
        by_symbol(self.proven(request).await.into_iter().flat_map(|page| page.bars))
    }
}

/// Makes a test of each case. The expression gives a [`Subject`](crate::conformance::Subject) and may await.
#[macro_export]
macro_rules! provider_conformance {
    ($subject:expr) => {
        $crate::provider_conformance!(
            $subject =>
            pages_are_sorted_by_symbol_then_time
            pages_hold_only_what_was_asked_for
            pages_keep_to_the_limit
            tokens_lead_to_an_end
            the_same_question_has_the_same_answer
            the_pages_together_are_the_truth
            every_page_counts_as_a_call
            proofs_are_disjoint_and_together_the_whole_request
            proofs_never_claim_too_much
            the_start_is_in_the_range_and_the_end_is_not
            neighbouring_ranges_share_no_bar
            a_symbol_alone_has_the_bars_that_it_has_among_others
            a_symbol_without_bars_harms_nobody
            a_range_without_bars_has_an_empty_answer
            a_dropped_request_harms_nobody
        );
    };
    ($subject:expr => $($case:ident)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::conformance::$case($subject).await;
            }
        )+
    };
}
