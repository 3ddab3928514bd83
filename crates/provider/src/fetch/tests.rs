use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};

use super::*;
use crate::ProviderExt;
use crate::example::{memory, of, request, symbol};
use crate::testing::{Fault, FaultyProvider, MemoryProvider, Refusal};

/// A hundred symbols, each with one bar.
fn hundred() -> (Vec<String>, MemoryProvider) {
    let names: Vec<String> = (0..100).map(|n| format!("S{n:02}")).collect();
    let bars: Vec<_> = names.iter().map(|name| of(name, [1])).collect();
    let provider = memory(1_000, &bars);
    (names, provider)
}

/// What a fetch brings: the bars of each symbol, who was set aside and why, how many calls it took, and how it ended.
struct Brought {
    bars: Vec<String>,
    rejected: Vec<(String, &'static str)>,
    calls: u64,
    end: Result<()>,
}

async fn bring(provider: &impl Provider, request: BarsRequest) -> Brought {
    let mut fetch = provider.fetch(request);
    let mut brought = Brought { bars: Vec::new(), rejected: Vec::new(), calls: 0, end: Ok(()) };
    while let Some(fetched) = fetch.next().await {
        match fetched {
            Ok(Fetched::Page(page)) => {
                brought.bars.extend(page.bars.iter().flat_map(|of| {
                    of.bars
                        .iter()
                        .map(|bar| format!("{} {}", of.symbol, (bar.start - crate::example::at(0)).num_minutes()))
                }));
            }
            Ok(Fetched::Rejected { symbol, error }) => brought.rejected.push((symbol.to_string(), error.code())),
            Err(error) => brought.end = Err(error),
        }
    }
    brought.calls = fetch.calls();
    brought
}

fn refused(names: &[&str], refusal: Refusal) -> (BarsRequest, MemoryProvider) {
    let (all, provider) = hundred();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let provider = names.iter().fold(provider, |provider, name| provider.with_refused(symbol(name), refusal));
    (request(&all, 10), provider)
}

#[tokio::test]
async fn a_symbol_that_the_vendor_names_costs_one_more_request() {
    let (request, provider) = refused(&["S10", "S77"], Refusal::Named);
    let brought = bring(&provider, request).await;
    assert_eq!((brought.bars.len(), brought.calls), (98, 3));
    assert_eq!(brought.rejected, [("S10".to_owned(), "INVALID_SYMBOL"), ("S77".to_owned(), "INVALID_SYMBOL")]);
    assert_eq!(provider.calls(), brought.calls);
}

#[tokio::test]
async fn a_culprit_that_nobody_names_is_found_in_a_logarithm_of_requests() {
    for (refusal, code) in [(Refusal::Unnamed, "INVALID_SYMBOL"), (Refusal::Unexplained, "VALIDATION_ERROR")] {
        for culprits in [&["S00"][..], &["S99"], &["S42"], &["S03", "S50", "S51"]] {
            let (request, provider) = refused(culprits, refusal);
            let brought = bring(&provider, request).await;
            brought.end.unwrap();
            let rejected: Vec<_> = culprits.iter().map(|name| ((*name).to_owned(), code)).collect();
            assert_eq!((brought.bars.len(), brought.rejected), (100 - culprits.len(), rejected));
            // Two halves at each of seven levels.
            assert!(brought.calls <= 1 + 2 * 7 * culprits.len() as u64, "{} calls", brought.calls);
        }
    }
}

#[tokio::test]
async fn every_symbol_malformed_is_every_symbol_rejected() {
    let (request, provider) = refused(&["S00", "S01", "S02", "S03"], Refusal::Unnamed);
    let request = request.keep(|symbol| symbol.as_str() < "S04").unwrap();
    let brought = bring(&provider, request).await;
    brought.end.unwrap();
    assert_eq!((brought.rejected.len(), brought.bars.len()), (4, 0));
}

#[tokio::test]
async fn a_request_that_is_wrong_for_every_symbol_is_given_up_early() {
    let names: Vec<String> = (0..100).map(|n| format!("S{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (request, provider) = refused(&names, Refusal::Unexplained);
    let brought = bring(&provider, request).await;
    assert_eq!(brought.end.unwrap_err().code(), "VALIDATION_ERROR");
    assert!(brought.calls <= 16, "{} calls", brought.calls);
}

#[tokio::test]
async fn a_symbol_with_impossible_bars_is_set_aside_and_the_others_come() {
    let memory = memory(100, &[of("A", 0..3), of("B", 0..3)]);
    let provider = FaultyProvider::new(memory).with_fault(0, Fault::ImpossibleBar);
    let brought = bring(&provider, request(&["A", "B"], 10)).await;
    assert_eq!(brought.rejected, [("A".to_owned(), "INVALID_DATA")]);
    assert_eq!(brought.bars, ["B 0", "B 1", "B 2"]);
}

#[tokio::test]
async fn a_refused_token_starts_anew_from_what_is_not_proven() {
    let memory = memory(2, &[of("A", 0..3), of("B", 0..3)]);
    let provider = FaultyProvider::new(memory).with_fault(2, Fault::TokenRefused);
    let brought = bring(&provider, request(&["A", "B"], 10)).await;
    brought.end.unwrap();
    assert_eq!(brought.bars, ["A 0", "A 1", "A 2", "B 0", "B 1", "B 2"]);
}

#[tokio::test]
async fn a_token_that_is_refused_again_and_again_is_an_error() {
    let memory = memory(1, &[of("A", 0..9)]);
    let provider = FaultyProvider::new(memory).with_faults((1..99).step_by(2), Fault::TokenRefused);
    let brought = bring(&provider, request(&["A"], 10)).await;
    assert!(matches!(brought.end, Err(Error::TokenRefused { .. })), "{:?}", brought.end);
}

#[tokio::test]
async fn what_is_no_symbols_fault_ends_the_fetch() {
    for (fault, code) in [
        (Fault::Unauthenticated, "AUTHENTICATION_ERROR"),
        (Fault::Unavailable, "SERVICE_UNAVAILABLE"),
        (Fault::RateLimited(None), "RATE_LIMIT_EXCEEDED"),
        (Fault::ForeignBars, "BAD_RESPONSE"),
        (Fault::OutOfRange, "BAD_RESPONSE"),
    ] {
        let provider = FaultyProvider::new(memory(4, &[of("A", 0..3), of("B", 0..3)])).with_fault(1, fault);
        let brought = bring(&provider, request(&["A", "B"], 10)).await;
        assert_eq!(brought.end.unwrap_err().code(), code);
        // What the first page proved stays: A, and of B all but the last bar seen.
        assert_eq!((brought.bars.len(), brought.calls), (3, 2), "{fault:?}");
    }
}

#[tokio::test]
async fn harmless_faults_change_nothing() {
    let truth = [of("A", 0..9), of("B", 0..9)];
    let expected = bring(&memory(4, &truth), request(&["A", "B"], 10)).await.bars;
    for fault in [Fault::EmptyPage, Fault::DoubledBars, Fault::DisorderedBars] {
        let provider = FaultyProvider::new(memory(4, &truth)).with_faults(0..5, fault);
        assert_eq!(bring(&provider, request(&["A", "B"], 10)).await.bars, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn limits_on_symbols_and_length_cut_a_request_into_the_fewest() {
    let (names, provider) = hundred();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (limits, calls) in [
        (Limits { symbols_a_request: 30, ..Limits::new(1_000) }, 4),
        // Ten names of three bytes and nine commas.
        (Limits { symbol_bytes_a_request: 39, ..Limits::new(1_000) }, 10),
        (Limits { symbol_bytes_a_request: 1, ..Limits::new(1_000) }, 100),
    ] {
        let provider = provider.clone().with_limits(limits);
        let brought = bring(&provider, request(&names, 10)).await;
        assert_eq!((brought.bars.len(), brought.calls), (100, calls));
    }
}

/// A vendor that takes no more than so many symbols, and says so only by refusing.
#[derive(Debug)]
struct Narrow(MemoryProvider, usize);

#[async_trait::async_trait]
impl Provider for Narrow {
    fn limits(&self) -> Limits {
        self.0.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&crate::PageToken>) -> Result<Page> {
        if request.symbols().len() > self.1 {
            return Err(Error::RequestTooLarge { answer: crate::Answer::new(414, b"<html>") });
        }
        self.0.page(request, token).await
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved() {
    let (names, provider) = hundred();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let brought = bring(&Narrow(provider, 25), request(&names, 10)).await;
    brought.end.unwrap();
    assert_eq!((brought.bars.len(), brought.calls), (100, 7));
    let (_, provider) = hundred();
    let alone = bring(&Narrow(provider, 0), request(&["S00"], 10)).await;
    assert!(matches!(alone.end, Err(Error::RequestTooLarge { .. })));
}

#[tokio::test]
async fn a_mock_answers_as_it_was_told() {
    let mut mock = crate::testing::MockProvider::new();
    mock.expect_limits().returning(|| Limits::new(10));
    mock.expect_page().times(1).returning(|_, _| Ok(Page { bars: vec![of("A", [1])], ..Page::default() }));
    let provider: Arc<dyn Provider> = Arc::new(mock);
    let bars: Vec<_> = provider.bars(request(&["A"], 10)).try_collect().await.unwrap();
    assert_eq!(bars, [(symbol("A"), crate::example::bar(1))]);
}
