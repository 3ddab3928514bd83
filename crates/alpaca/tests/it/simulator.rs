//! Alpaca's simulator, written by somebody else from the same documentation, with the truth beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_alpaca::{Alpaca, Timeouts};
use barkeep_alpaca_sim::{AlpacaSim, Fault, Market, Options, Plan};
use barkeep_provider::conformance::Subject;
use barkeep_provider::{
    BarsRequest, Error, Fetched, Provider, ProviderExt, RateLimited, Result, Retry, Retrying, SymbolBars,
};
use barkeep_types::{Adjustment, Bar, Coverage, Feed, Series, Symbol, Timeframe};
use futures::{StreamExt, TryStreamExt};
use proptest::prelude::*;

use crate::{over, request};

/// A client that waits as long as a busy machine may need.
fn client(base_url: &str) -> Alpaca {
    crate::client(base_url).with_timeouts(Timeouts::default())
}

fn options() -> Options {
    AlpacaSim::options().with_market(Market::new(7)).with_now("2024-06-03T12:00:00Z".parse().unwrap())
}

fn truth(sim: &AlpacaSim, request: &BarsRequest) -> Vec<SymbolBars> {
    let of = |symbol: &Symbol| {
        let series = Series {
            symbol: symbol.clone(),
            timeframe: request.timeframe(),
            feed: request.feed().clone(),
            adjustment: request.adjustment(),
        };
        let now = "2024-06-03T12:00:00Z".parse().unwrap();
        SymbolBars { symbol: symbol.clone(), bars: sim.market().truth_at(&series, request.range(), now) }
    };
    request.symbols().iter().map(of).filter(|of| !of.bars.is_empty()).collect()
}

fn by_symbol(bars: impl IntoIterator<Item = (Symbol, Bar)>) -> BTreeMap<Symbol, Vec<Bar>> {
    let mut all = BTreeMap::<Symbol, Vec<Bar>>::new();
    for (symbol, bar) in bars {
        all.entry(symbol).or_default().push(bar);
    }
    all
}

/// Fetches everything, and finds it to be the truth; tells how many requests that took.
async fn fetch_the_truth(sim: &AlpacaSim, alpaca: &Alpaca, request: BarsRequest) -> u64 {
    let before = sim.requests().bars;
    let bars: Vec<_> = alpaca.bars(request.clone()).try_collect().await.unwrap();
    let truth: BTreeMap<_, _> = truth(sim, &request).into_iter().map(|of| (of.symbol, of.bars)).collect();
    let mut bars = by_symbol(bars);
    // A bar that was cut in two is fetched last.
    bars.values_mut().for_each(|bars| bars.sort_by_key(|bar| bar.start));
    assert_eq!(bars, truth);
    sim.requests().bars - before
}

mod minutes {
    use super::*;

    async fn subject() -> Subject {
        let sim = options().start().await.unwrap();
        let request = request(&["AAPL", "MSFT", "ZZTOP"]);
        let alpaca = client(&sim.base_url()).with_page_bars(100);
        let truth = truth(&sim, &request);
        Subject::new(alpaca, request, truth).with_alive(sim)
    }

    barkeep_provider::provider_conformance!(subject().await);
}

mod hours_on_short_pages {
    use super::*;

    async fn subject() -> Subject {
        let sim =
            options().with_source_bars_a_page(Some(300)).with_token_on_full_last_page(true).start().await.unwrap();
        let request = over(&["AAPL", "MSFT", "ZZTOP"], Timeframe::H1, "2024-03-04T00:00:00Z", "2024-03-06T00:00:00Z");
        let alpaca = client(&sim.base_url()).with_page_bars(20);
        let truth = truth(&sim, &request);
        Subject::new(alpaca, request, truth).with_alive(sim)
    }

    barkeep_provider::provider_conformance!(subject().await);
}

#[tokio::test]
async fn every_timeframe_adjustment_and_feed_is_fetched_as_it_is() {
    let sim = options().start().await.unwrap();
    let alpaca = client(&sim.base_url());
    for timeframe in Timeframe::ALL {
        let (from, to) = match timeframe.minutes() {
            Some(_) => ("2024-02-26T00:00:00Z", "2024-03-12T00:00:00Z"),
            None => ("2019-01-01T05:00:00Z", "2024-03-01T05:00:00Z"),
        };
        let request = over(&["AAPL", "MSFT", "TSLA"], timeframe, from, to);
        for adjustment in [Adjustment::RAW, Adjustment::SPLIT, Adjustment::ALL] {
            fetch_the_truth(&sim, &alpaca, request.clone().with_adjustment(adjustment)).await;
        }
        let iex = BarsRequest::new(request.symbols().to_vec(), timeframe, Feed::IEX, request.range()).unwrap();
        fetch_the_truth(&sim, &alpaca, iex).await;
    }
}

#[tokio::test]
async fn crypto_is_fetched_without_the_parameters_of_stocks() {
    let sim = options().start().await.unwrap();
    let range = request(&["BTC/USD"]).range();
    let symbols = ["BTC/USD", "ETH/USD"].map(|text| text.parse().unwrap());
    let request = BarsRequest::new(symbols, Timeframe::M1, "us".parse().unwrap(), range).unwrap();
    assert!(!truth(&sim, &request).is_empty(), "the simulator has crypto");
    assert_eq!(fetch_the_truth(&sim, &client(&sim.base_url()), request).await, 1);
}

#[tokio::test]
async fn bars_that_a_page_cuts_in_two_are_whole() {
    for timeframe in [Timeframe::M15, Timeframe::H1, Timeframe::H4, Timeframe::W1] {
        let sim = options().with_source_bars_a_page(Some(701)).with_pages_cut_inside_bars(true).start().await.unwrap();
        let request = over(&["AAPL", "MSFT"], timeframe, "2021-03-01T00:00:00Z", "2021-03-22T00:00:00Z");
        fetch_the_truth(&sim, &client(&sim.base_url()), request).await;
    }
}

/// What became of each symbol that was set aside, and the bars of the rest.
async fn fetch(alpaca: &Alpaca, request: BarsRequest) -> (BTreeMap<Symbol, Vec<Bar>>, Vec<String>, u64) {
    let (mut bars, mut rejected) = (Vec::new(), Vec::new());
    let mut fetch = alpaca.fetch(request);
    while let Some(fetched) = fetch.next().await {
        match fetched.unwrap() {
            Fetched::Page(page) => bars.extend(
                page.bars.into_iter().flat_map(|of| of.bars.into_iter().map(move |bar| (of.symbol.clone(), bar))),
            ),
            Fetched::Rejected { symbol, error } => rejected.push(format!("{symbol} {}", error.code())),
        }
    }
    (by_symbol(bars), rejected, fetch.calls())
}

#[tokio::test]
async fn malformed_symbols_are_set_aside_by_name_and_unknown_ones_are_empty() {
    let sim = options().start().await.unwrap();
    let request = request(&["3USL", "AAPL", "BRK-B", "MSFT", "ZZTOP"]);
    let (bars, rejected, calls) = fetch(&client(&sim.base_url()), request).await;
    assert_eq!(bars.keys().map(Symbol::as_str).collect::<Vec<_>>(), ["AAPL", "MSFT"]);
    assert_eq!(
        (rejected.as_slice(), calls),
        (&["3USL INVALID_SYMBOL".to_owned(), "BRK-B INVALID_SYMBOL".to_owned()][..], 3)
    );
}

async fn refusal(alpaca: &Alpaca, request: BarsRequest) -> Error {
    let pages: Result<Vec<_>> = alpaca.pages(request).try_collect().await;
    pages.unwrap_err()
}

#[tokio::test]
async fn recent_data_is_refused_on_the_free_plan_with_its_cure() {
    let sim = options().with_plan(Plan::BASIC).start().await.unwrap();
    let alpaca = client(&sim.base_url());
    let recent = over(&["AAPL"], Timeframe::M1, "2024-06-03T11:00:00Z", "2024-06-03T12:00:00Z");
    let error = refusal(&alpaca, recent.clone()).await;
    assert!(matches!(error, Error::TooRecent { .. }), "{error}");
    let available = alpaca.limits().available(recent.range(), "2024-06-03T12:00:00Z".parse().unwrap());
    fetch_the_truth(&sim, &alpaca, recent.over(available.range.unwrap())).await;
}

#[tokio::test]
async fn wrong_keys_are_refused() {
    let sim = options().with_keys("other", "keys").start().await.unwrap();
    let error = refusal(&client(&sim.base_url()), request(&["AAPL"])).await;
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error}");
}

#[tokio::test]
async fn the_request_limit_is_told_on_every_answer() {
    let sim = options().with_plan(Plan::BASIC.with_requests_a_minute(2)).start().await.unwrap();
    let alpaca = client(&sim.base_url());
    let page = alpaca.page(&request(&["AAPL"]), None).await.unwrap();
    let quota = page.quota.unwrap();
    let minute = Duration::from_secs(60);
    assert_eq!((quota.limit, quota.remaining, quota.resets_in), (2, 1, Some(minute)));
    alpaca.page(&request(&["AAPL"]), None).await.unwrap();
    let error = refusal(&alpaca, request(&["AAPL"])).await;
    // Nothing but the reset, by the server's own clock, tells how long to wait.
    assert_eq!((error.code(), error.retry()), ("RATE_LIMIT_EXCEEDED", Retry::After(minute)));
}

/// Fetches what takes many pages through wrappers while one request in three goes wrong; tells how it ended, and what
/// it cost by the client's count and by the server's.
async fn cost_under_faults(seed: u64, tries: usize) -> (bool, u64, u64) {
    let sim = options().with_source_bars_a_page(Some(700)).start().await.unwrap();
    sim.inject_at_random(
        seed,
        0.33,
        Fault::transient().into_iter().filter(|fault| !format!("{fault:?}").contains("Too")),
    );
    let alpaca = client(&sim.base_url()).with_page_bars(50);
    let first_wait = Duration::from_millis(1);
    let provider = Retrying::new(RateLimited::new(alpaca)).with_tries(tries).with_first_wait(first_wait);
    let mut fetch = provider.fetch(request(&["3USL", "AAPL", "BRK-B", "MSFT"]));
    let fetched: Result<Vec<_>> = fetch.by_ref().try_collect().await;
    (fetched.is_ok(), fetch.calls(), sim.requests().total)
}

#[tokio::test]
async fn calls_are_the_requests_that_the_server_saw() {
    let mut ends = [0, 0];
    for seed in 0..6 {
        for tries in [1, 8] {
            let (is_whole, told, seen) = cost_under_faults(seed, tries).await;
            assert_eq!(told, seen, "seed {seed}, {tries} tries");
            ends[usize::from(is_whole)] += 1;
        }
    }
    assert!(ends[0] > 0 && ends[1] > 5, "some were given up and some were whole: {ends:?}");
}

#[tokio::test]
async fn what_nobody_saw_is_no_call() {
    let sim = options().start().await.unwrap();
    let alpaca = client(&sim.base_url());
    let no_second = over(&["AAPL"], Timeframe::M1, "2024-03-04T14:30:00.2Z", "2024-03-04T14:30:00.4Z");
    let mut fetch = alpaca.fetch(no_second);
    fetch.by_ref().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!((fetch.calls(), sim.requests().total), (0, 0));

    let url = sim.base_url();
    sim.shutdown().await;
    let unreachable = client(&url);
    let mut fetch = unreachable.fetch(request(&["AAPL"]));
    assert_eq!(fetch.by_ref().try_collect::<Vec<_>>().await.unwrap_err().code(), "SERVICE_UNAVAILABLE");
    assert_eq!(fetch.calls(), 0);
}

/// Any timeframe and symbols, on pages of any size that end anywhere.
#[derive(Debug)]
struct Paging {
    timeframe: Timeframe,
    symbols: Vec<&'static str>,
    page_bars: u32,
    source_bars: usize,
    cut_inside_bars: bool,
    token_on_full_last_page: bool,
}

fn any_paging() -> impl Strategy<Value = Paging> {
    let timeframe =
        proptest::sample::select(&[Timeframe::M5, Timeframe::M30, Timeframe::H1, Timeframe::H4, Timeframe::D1][..]);
    let symbols = proptest::sample::subsequence(vec!["AAPL", "AMD", "GOOGL", "MSFT", "ZZTOP"], 1..=5);
    let switches = (any::<bool>(), any::<bool>());
    (timeframe, symbols, 1..200_u32, 250..5_000_usize, switches).prop_map(
        |(timeframe, symbols, page_bars, source_bars, (cut_inside_bars, token_on_full_last_page))| Paging {
            timeframe,
            symbols,
            page_bars,
            source_bars,
            cut_inside_bars,
            token_on_full_last_page,
        },
    )
}

/// Whatever the pages, together they are the truth, and at no point was more proven than had been given.
async fn check_paging(paging: Paging) {
    let sim = options()
        .with_source_bars_a_page(Some(paging.source_bars))
        .with_pages_cut_inside_bars(paging.cut_inside_bars)
        .with_token_on_full_last_page(paging.token_on_full_last_page);
    let sim = sim.start().await.unwrap();
    let alpaca = client(&sim.base_url()).with_page_bars(paging.page_bars);
    let request = over(&paging.symbols, paging.timeframe, "2024-03-04T05:00:00Z", "2024-03-07T00:00:00Z");
    let truth: BTreeMap<_, _> = truth(&sim, &request).into_iter().map(|of| (of.symbol, of.bars)).collect();
    let (mut given, mut proven) = (BTreeMap::<Symbol, Vec<Bar>>::new(), BTreeMap::<Symbol, Coverage>::new());
    let mut pages = alpaca.pages(request.clone());
    while let Some(page) = pages.try_next().await.unwrap() {
        for of in page.bars {
            given.entry(of.symbol).or_default().extend(of.bars);
        }
        for proof in page.proofs {
            proven.entry(proof.symbol).or_default().insert(proof.range);
        }
        for (symbol, proven) in &proven {
            let true_bars = truth.get(symbol).map(Vec::as_slice).unwrap_or_default();
            let claimed: Vec<Bar> = true_bars.iter().filter(|bar| proven.contains(bar.start)).copied().collect();
            let mut given = given.get(symbol).cloned().unwrap_or_default();
            given.sort_by_key(|bar| bar.start);
            assert_eq!(given, claimed, "{symbol} {paging:?}");
        }
    }
    for symbol in request.symbols() {
        assert_eq!(proven[symbol].ranges(), [request.range()], "{symbol} {paging:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_pages_they_are_the_truth_and_claim_no_more(paging in any_paging()) {
        tokio::runtime::Runtime::new().unwrap().block_on(check_paging(paging));
    }
}
