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

#![expect(clippy::missing_panics_doc, reason = "a case that fails panics: that is how it tells")]

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use barkeep_types::{Bar, Coverage, Symbol, TimeRange};
use futures::{StreamExt, TryStreamExt};

use crate::{BarsRequest, Fetched, PageToken, ProvenPage, Provider, ProviderExt, SymbolBars};

/// A provider, a request, and its true answer.
#[derive(Debug)]
pub struct Subject {
    provider: Arc<dyn Provider>,
    request: BarsRequest,
    truth: Vec<SymbolBars>,
    _alive: Box<dyn Any + Send>,
}

impl Subject {
    /// `truth` is what answers `request`, of which at least two symbols have bars, at least one has none, and which takes
    /// at least two pages.
    ///
    /// # Panics
    ///
    /// If the truth is too small to test anything.
    pub fn new(provider: impl Provider, request: BarsRequest, mut truth: Vec<SymbolBars>) -> Self {
        truth.retain(|of| !of.bars.is_empty());
        truth.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        let count: usize = truth.iter().map(|of| of.bars.len()).sum();
        let (limits, symbols) = (provider.limits(), request.symbols());
        assert!(truth.len() >= 2 && truth.len() < symbols.len(), "two symbols have bars, and one has none");
        assert!(count > limits.bars_a_page as usize, "{count} bars do not take two pages");
        assert!(symbols.len() <= limits.symbols_a_request, "the symbols fit into one request");
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
}

/// Makes a test of each case. The expression gives a [`Subject`](crate::conformance::Subject) and may await.
#[macro_export]
macro_rules! provider_conformance {
    ($subject:expr) => {
        $crate::provider_conformance!(
            $subject =>
            pages_are_sorted_by_symbol_then_time
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

type BySymbol = BTreeMap<Symbol, Vec<Bar>>;

fn by_symbol(bars: impl IntoIterator<Item = SymbolBars>) -> BySymbol {
    let mut all = BySymbol::new();
    for of in bars {
        all.entry(of.symbol).or_default().extend(of.bars);
    }
    all.retain(|_, bars| !bars.is_empty());
    all
}

/// The raw pages of a request, unchecked.
async fn raw(subject: &Subject) -> Vec<Vec<SymbolBars>> {
    let (mut pages, mut token): (Vec<_>, Option<PageToken>) = (Vec::new(), None);
    loop {
        let page = subject.provider.page(&subject.request, token.as_ref()).await.expect("a page");
        pages.push(page.bars);
        token = page.next;
        assert!(pages.len() < 100_000, "tokens without end");
        if token.is_none() {
            return pages;
        }
    }
}

async fn proven(subject: &Subject, request: BarsRequest) -> Vec<ProvenPage> {
    subject.provider.pages(request).try_collect().await.expect("pages")
}

async fn answer(subject: &Subject, request: BarsRequest) -> BySymbol {
    by_symbol(proven(subject, request).await.into_iter().flat_map(|page| page.bars))
}

/// Symbols come in the order of their bytes, each with its earliest bars first, over all pages.
pub async fn pages_are_sorted_by_symbol_then_time(subject: Subject) {
    let pages = raw(&subject).await;
    let order = pages.iter().flatten().flat_map(|of| of.bars.iter().map(|bar| (&of.symbol, bar.start)));
    // A page's last bar may come again with the next page.
    assert!(order.is_sorted());
}

/// No page has more bars than the limits say.
pub async fn pages_keep_to_the_limit(subject: Subject) {
    let most = subject.provider.limits().bars_a_page as usize;
    for page in raw(&subject).await {
        assert!(page.iter().map(|of| of.bars.len()).sum::<usize>() <= most);
    }
}

/// Following tokens ends, after more than one page.
pub async fn tokens_lead_to_an_end(subject: Subject) {
    assert!(raw(&subject).await.len() > 1);
}

/// A page that is asked for again is the same page.
pub async fn the_same_question_has_the_same_answer(subject: Subject) {
    let (first, again) = (raw(&subject).await, raw(&subject).await);
    assert_eq!(first, again);
}

/// All bars, and nothing but them, whatever the pages.
pub async fn the_pages_together_are_the_truth(subject: Subject) {
    let answer = answer(&subject, subject.request.clone()).await;
    assert_eq!(answer, by_symbol(subject.truth));
}

/// What an answer costs is told: at least a request for each page.
pub async fn every_page_counts_as_a_call(subject: Subject) {
    let mut fetch = subject.provider.fetch(subject.request.clone());
    let fetched: Vec<Fetched> = fetch.by_ref().try_collect().await.expect("a fetch");
    assert!(fetch.calls() >= fetched.len() as u64, "{} calls for {} pages", fetch.calls(), fetched.len());
}

/// What pages prove never overlaps, and in the end nothing is missing.
pub async fn proofs_are_disjoint_and_together_the_whole_request(subject: Subject) {
    let mut proven_of: BTreeMap<Symbol, Coverage> = BTreeMap::new();
    for proof in proven(&subject, subject.request.clone()).await.into_iter().flat_map(|page| page.proofs) {
        let coverage = proven_of.entry(proof.symbol).or_default();
        assert!(!coverage.ranges().iter().any(|range| range.overlaps(&proof.range)));
        coverage.insert(proof.range);
    }
    for symbol in subject.request.symbols() {
        assert_eq!(proven_of[symbol].ranges(), [subject.request.range()], "{symbol}");
    }
}

/// Every bar in a proven range was given by then, and every bar that was given lies in one.
pub async fn proofs_never_claim_too_much(subject: Subject) {
    let truth = by_symbol(subject.truth.clone());
    let (mut given, mut proven_of) = (BySymbol::new(), BTreeMap::<Symbol, Coverage>::new());
    for page in proven(&subject, subject.request.clone()).await {
        for of in page.bars {
            given.entry(of.symbol).or_default().extend(of.bars);
        }
        for proof in page.proofs {
            proven_of.entry(proof.symbol).or_default().insert(proof.range);
        }
        for (symbol, coverage) in &proven_of {
            let bars = truth.get(symbol).map(Vec::as_slice).unwrap_or_default();
            let claimed: Vec<Bar> = bars.iter().filter(|bar| coverage.contains(bar.start)).copied().collect();
            assert_eq!(given.get(symbol).cloned().unwrap_or_default(), claimed, "{symbol}");
        }
    }
}

/// Ranges are half-open: a bar that starts at the end belongs to the next range.
pub async fn the_start_is_in_the_range_and_the_end_is_not(subject: Subject) {
    let (symbol, bars) = (subject.truth[0].symbol.clone(), &subject.truth[0].bars);
    let (first, last) = (bars[0], subject.middle());
    let range = TimeRange::new(first.start, last.start).expect("a middle after the first");
    let answer = answer(&subject, subject.request.over(range)).await;
    let expected: Vec<Bar> = bars.iter().filter(|bar| bar.start < last.start).copied().collect();
    assert_eq!(answer[&symbol], expected);
}

/// Two ranges that meet have all bars between them, and none in common.
pub async fn neighbouring_ranges_share_no_bar(subject: Subject) {
    let (range, middle) = (subject.request.range(), subject.middle().start);
    let mut both = BySymbol::new();
    for half in [range.before(middle), range.from(middle)].into_iter().flatten() {
        for (symbol, bars) in answer(&subject, subject.request.over(half)).await {
            both.entry(symbol).or_default().extend(bars);
        }
    }
    assert_eq!(both, by_symbol(subject.truth));
}

/// The company of other symbols changes nothing.
pub async fn a_symbol_alone_has_the_bars_that_it_has_among_others(subject: Subject) {
    let of = &subject.truth[1];
    let alone = subject.request.keep(|symbol| **symbol == of.symbol).expect("a symbol");
    assert_eq!(answer(&subject, alone).await[&of.symbol], of.bars);
}

/// A symbol that the vendor does not know is left out or set aside, and the others come.
pub async fn a_symbol_without_bars_harms_nobody(subject: Subject) {
    let fetched: Vec<Fetched> = subject.provider.fetch(subject.request.clone()).try_collect().await.expect("a fetch");
    let truth = by_symbol(subject.truth);
    let mut bars = Vec::new();
    for fetched in fetched {
        match fetched {
            Fetched::Page(page) => bars.extend(page.bars),
            Fetched::Rejected { symbol, error } => assert!(!truth.contains_key(&symbol), "{symbol}: {error}"),
        }
    }
    assert_eq!(by_symbol(bars), truth);
}

/// No bars is an answer like any other.
pub async fn a_range_without_bars_has_an_empty_answer(subject: Subject) {
    let start = subject.middle().start + chrono::TimeDelta::nanoseconds(1);
    let range = TimeRange::new(start, start + chrono::TimeDelta::nanoseconds(1)).expect("an instant");
    let pages = proven(&subject, subject.request.over(range)).await;
    let last = pages.last().expect("at least one page");
    assert!(pages.iter().all(|page| page.bars.is_empty()) && last.is_last);
}

/// A request that is given up leaves nothing behind that would spoil the next.
pub async fn a_dropped_request_harms_nobody(subject: Subject) {
    let request = &subject.request;
    let first = subject.provider.page(request, None);
    drop(tokio::time::timeout(std::time::Duration::ZERO, first).await);
    let answer = answer(&subject, request.clone()).await;
    assert_eq!(answer, by_symbol(subject.truth));
}
