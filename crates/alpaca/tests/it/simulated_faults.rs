//! Every fault that the simulator knows, and what it becomes: one test each.

use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_alpaca::Alpaca;
use barkeep_alpaca_sim::{
    AlpacaSim, AnswerFault, Fault, Injection, Market, NumberFault, PageFault, RetryAfter, WireFault,
};
use barkeep_provider::{BarsRequest, Fetched, Provider, ProviderExt, Retrying};
use barkeep_types::{Adjustment, Bar, Feed, Series, Symbol};
use futures::StreamExt;

use crate::{client, request};

/// What a client should make of a fault.
enum Outcome {
    /// Nothing: the truth arrives at once.
    Harmless,
    /// The truth arrives after another try if the fault passes; this code if it stays.
    Transient(&'static str),
    /// This code, with nothing sent a second time.
    Final(&'static str),
    /// The symbol whose bar it is set aside with this code; the other's bars arrive.
    SetAside(&'static str),
}

/// What a fetch brought: bars, who was set aside and why, and the code that it ended with.
#[derive(Debug, Default, PartialEq)]
struct Brought {
    bars: BTreeMap<Symbol, Vec<Bar>>,
    set_aside: Vec<String>,
    code: Option<&'static str>,
}

async fn bring(provider: &impl Provider) -> Brought {
    let mut brought = Brought::default();
    let mut fetch = provider.fetch(question());
    while let Some(fetched) = fetch.next().await {
        match fetched {
            Ok(Fetched::Page(page)) => {
                for of in page.bars {
                    brought.bars.entry(of.symbol).or_default().extend(of.bars);
                }
            }
            Ok(Fetched::Rejected { symbol, error }) => brought.set_aside.push(format!("{symbol} {}", error.code())),
            Err(error) => brought.code = Some(error.code()),
        }
    }
    brought
}

/// Four pages of each of two symbols.
fn question() -> BarsRequest {
    request(&["AAPL", "MSFT"])
}

fn truth(sim: &AlpacaSim) -> BTreeMap<Symbol, Vec<Bar>> {
    let question = question();
    let of = |symbol: &Symbol| {
        let (timeframe, feed, adjustment) = (question.timeframe(), Feed::SIP, Adjustment::RAW);
        let series = Series { symbol: symbol.clone(), timeframe, feed, adjustment };
        (symbol.clone(), sim.market().truth(&series, question.range()))
    };
    question.symbols().iter().map(of).collect()
}

/// A simulator whose answers meet a fault so many times, from the second page on, and a client of it.
async fn start(fault: &Fault, times: usize) -> (AlpacaSim, Retrying<Alpaca>) {
    let now = "2024-06-03T12:00:00Z".parse().unwrap();
    let sim = AlpacaSim::options().with_market(Market::new(7)).with_now(now).start().await.unwrap();
    sim.inject(Injection::of(fault.clone()).after(1).times(times));
    let alpaca = client(&sim.base_url()).with_page_bars(100).with_response_limit(1 << 20);
    (sim, Retrying::new(alpaca).with_tries(1).with_first_wait(Duration::from_millis(1)))
}

async fn check(fault: impl Into<Fault>, outcome: Outcome) {
    let fault = fault.into();
    let (sim, retrying) = start(&fault, 1).await;
    let truth = truth(&sim);
    let brought = bring(&retrying).await;
    let whole = Brought { bars: truth.clone(), ..Brought::default() };
    match outcome {
        Outcome::Harmless => assert_eq!(brought, whole),
        Outcome::Transient(code) => {
            assert_eq!(brought, whole);
            let (sim, retrying) = start(&fault, usize::MAX).await;
            let brought = bring(&retrying).await;
            assert_eq!((brought.code, sim.requests().total), (Some(code), 3), "one good page, two tries");
            are_a_beginning_of(&brought, &truth);
        }
        Outcome::Final(code) => {
            let (sim, retrying) = start(&fault, usize::MAX).await;
            let brought = bring(&retrying).await;
            assert_eq!(brought.code, Some(code));
            assert!(sim.requests().total <= 10, "{} requests", sim.requests().total);
            are_a_beginning_of(&brought, &truth);
        }
        Outcome::SetAside(code) => {
            let (spoiled, sound) = ("AAPL".parse().unwrap(), "MSFT".parse().unwrap());
            assert_eq!((brought.code, brought.set_aside), (None, vec![format!("{spoiled} {code}")]));
            assert_eq!(brought.bars[&sound], truth[&sound]);
            assert!(truth[&spoiled].starts_with(&brought.bars[&spoiled]), "what was proven before stays true");
        }
    }
}

/// What came before an error is true, and without holes.
fn are_a_beginning_of(brought: &Brought, truth: &BTreeMap<Symbol, Vec<Bar>>) {
    assert!(!brought.bars.is_empty());
    for (symbol, bars) in &brought.bars {
        assert!(truth[symbol].starts_with(bars), "{symbol}");
    }
}

macro_rules! faults {
    ($($name:ident: $fault:expr => $outcome:expr;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                use Outcome::*;
                check($fault, $outcome).await;
            }
        )+
    };
}

mod answers {
    use super::*;

    faults! {
        too_many_requests: AnswerFault::TooManyRequests(RetryAfter::Absent) => Transient("RATE_LIMIT_EXCEEDED");
        too_many_requests_for_now: AnswerFault::TooManyRequests(RetryAfter::Seconds(0)) => Transient("RATE_LIMIT_EXCEEDED");
        too_many_requests_until_then: AnswerFault::TooManyRequests(RetryAfter::Date(0)) => Transient("RATE_LIMIT_EXCEEDED");
        too_many_requests_for_ever: AnswerFault::TooManyRequests(RetryAfter::Seconds(1_000_000_000)) => Final("RATE_LIMIT_EXCEEDED");
        too_many_requests_in_text: AnswerFault::TooManyRequestsInText => Transient("RATE_LIMIT_EXCEEDED");
        status_401: AnswerFault::Status(401) => Final("AUTHENTICATION_ERROR");
        status_403: AnswerFault::Status(403) => Final("AUTHENTICATION_ERROR");
        status_408: AnswerFault::Status(408) => Transient("SERVICE_UNAVAILABLE");
        status_500: AnswerFault::Status(500) => Transient("SERVICE_UNAVAILABLE");
        status_502_in_html: AnswerFault::HtmlStatus(502) => Transient("SERVICE_UNAVAILABLE");
        status_503: AnswerFault::Status(503) => Transient("SERVICE_UNAVAILABLE");
        status_504_in_html: AnswerFault::HtmlStatus(504) => Transient("SERVICE_UNAVAILABLE");
        an_expired_token: AnswerFault::ExpiredToken => Harmless;
        a_captive_portal: AnswerFault::CaptivePortal => Transient("BAD_RESPONSE");
        plain_text: AnswerFault::PlainText => Transient("BAD_RESPONSE");
        an_empty_body: AnswerFault::EmptyBody => Transient("BAD_RESPONSE");
        null: AnswerFault::NullBody => Transient("BAD_RESPONSE");
        an_array: AnswerFault::ArrayBody => Transient("BAD_RESPONSE");
        invalid_json: AnswerFault::InvalidJson => Transient("BAD_RESPONSE");
        truncated_json: AnswerFault::TruncatedJson => Transient("BAD_RESPONSE");
        deep_nesting: AnswerFault::DeepNesting(10_000) => Transient("BAD_RESPONSE");
        a_long_token: AnswerFault::LongString(100_000) => Transient("BAD_RESPONSE");
        a_redirect: AnswerFault::Redirect("http://localhost:1/".to_owned()) => Final("SERVICE_UNAVAILABLE");
    }
}

mod pages {
    use super::*;

    faults! {
        duplicate_bars: PageFault::DuplicateBars => Harmless;
        disordered_bars: PageFault::DisorderedBars => Harmless;
        a_foreign_symbol: PageFault::ForeignSymbol => Final("BAD_RESPONSE");
        a_bar_out_of_range: PageFault::BarOutOfRange => Harmless;
        a_bar_from_the_future: PageFault::BarFromTheFuture => Harmless;
        bars_off_the_grid: PageFault::MisalignedBars => Final("BAD_RESPONSE");
        overlapping_pages: PageFault::OverlappingPages => Harmless;
        unknown_fields: PageFault::UnknownFields => Harmless;
        an_empty_page_with_a_token: PageFault::EmptyPageWithToken => Harmless;
        the_same_token: PageFault::SameToken => Final("PAGINATION_LOOP");
        a_cycle_of_tokens: PageFault::TokenCycle => Final("PAGINATION_LOOP");
        endless_tokens: PageFault::EndlessTokens => Final("PAGINATION_LOOP");
    }
}

mod numbers {
    use super::*;

    faults! {
        nan: NumberFault::NotANumber => Transient("BAD_RESPONSE");
        infinity: NumberFault::Infinity => Transient("BAD_RESPONSE");
        overflow: NumberFault::Overflow => Transient("BAD_RESPONSE");
        a_time_that_is_a_number: NumberFault::TimeAsNumber => Transient("BAD_RESPONSE");
        underflow: NumberFault::Underflow => SetAside("INVALID_DATA");
        null: NumberFault::Null => SetAside("INVALID_DATA");
        text: NumberFault::Text => SetAside("INVALID_DATA");
        missing: NumberFault::Missing => SetAside("INVALID_DATA");
        a_negative_price: NumberFault::NegativePrice => SetAside("INVALID_DATA");
        a_price_of_zero: NumberFault::ZeroPrice => SetAside("INVALID_DATA");
        high_below_low: NumberFault::HighBelowLow => SetAside("INVALID_DATA");
        open_outside: NumberFault::OpenOutside => SetAside("INVALID_DATA");
        close_outside: NumberFault::CloseOutside => SetAside("INVALID_DATA");
        negative_volume: NumberFault::NegativeVolume => SetAside("INVALID_DATA");
        huge_volume: NumberFault::HugeVolume => SetAside("INVALID_DATA");
        huge_trade_count: NumberFault::HugeTradeCount => SetAside("INVALID_DATA");
    }
}

mod wire {
    use super::*;

    faults! {
        no_answer: WireFault::NoAnswer => Transient("SERVICE_UNAVAILABLE");
        silence_after_the_head: WireFault::SilenceAfterHead => Transient("SERVICE_UNAVAILABLE");
        silence_within_the_body: WireFault::SilenceMidBody => Transient("SERVICE_UNAVAILABLE");
        a_slow_drip: WireFault::SlowDrip(100) => Transient("SERVICE_UNAVAILABLE");
        closed_before_an_answer: WireFault::CloseBeforeAnswer => Transient("SERVICE_UNAVAILABLE");
        reset_before_an_answer: WireFault::Reset => Transient("SERVICE_UNAVAILABLE");
        reset_within_the_body: WireFault::ResetMidBody => Transient("BAD_RESPONSE");
        a_length_too_long: WireFault::LengthTooLong => Transient("BAD_RESPONSE");
        a_length_too_short: WireFault::LengthTooShort => Transient("BAD_RESPONSE");
        a_length_that_is_no_number: WireFault::LengthNotANumber => Transient("SERVICE_UNAVAILABLE");
        corrupt_gzip: WireFault::CorruptGzip => Transient("BAD_RESPONSE");
        a_gzip_bomb: WireFault::GzipBomb(2 << 20) => Final("RESPONSE_TOO_LARGE");
        a_huge_page: WireFault::HugePage(1_000_000) => Final("RESPONSE_TOO_LARGE");
        no_http: WireFault::NotHttp => Transient("SERVICE_UNAVAILABLE");
    }
}

/// What is left when the second page is refused so.
async fn bring_after(fault: AnswerFault, times: usize) -> (Brought, BTreeMap<Symbol, Vec<Bar>>) {
    let (sim, retrying) = start(&fault.into(), times).await;
    (bring(&retrying).await, truth(&sim))
}

#[tokio::test]
async fn status_404_is_that_of_each_symbol() {
    let (brought, truth) = bring_after(AnswerFault::Status(404), usize::MAX).await;
    assert_eq!(brought.set_aside, ["AAPL SYMBOL_NOT_FOUND", "MSFT SYMBOL_NOT_FOUND"]);
    are_a_beginning_of(&brought, &truth);
}

#[tokio::test]
async fn status_414_halves_the_request() {
    let (brought, truth) = bring_after(AnswerFault::HtmlStatus(414), 1).await;
    assert_eq!(brought, Brought { bars: truth, ..Brought::default() });
    let (brought, truth) = bring_after(AnswerFault::HtmlStatus(414), usize::MAX).await;
    assert_eq!(brought.code, Some("VALIDATION_ERROR"));
    are_a_beginning_of(&brought, &truth);
}

#[tokio::test]
async fn a_symbol_that_400_or_422_names_is_set_aside() {
    for status in [400, 422] {
        let refusal = AnswerFault::Refusal(status, "invalid symbol: MSFT".to_owned());
        let (brought, truth) = bring_after(refusal, 1).await;
        let (refused, sound): (Symbol, Symbol) = ("MSFT".parse().unwrap(), "AAPL".parse().unwrap());
        assert_eq!((brought.code, brought.set_aside), (None, vec!["MSFT INVALID_SYMBOL".to_owned()]));
        assert_eq!(brought.bars.get(&refused), None, "{status}");
        assert_eq!(brought.bars[&sound], truth[&sound]);
    }
}

#[tokio::test]
async fn of_conflicting_bars_the_later_word_counts() {
    let (sim, retrying) = start(&PageFault::ConflictingBars.into(), usize::MAX).await;
    let brought = bring(&retrying).await;
    let truth = truth(&sim);
    assert_eq!(brought.code, None);
    for (symbol, bars) in &truth {
        // The first page was sound; its last bar came with the second page's word on it, or not at all.
        let later = bars.iter().map(|bar| Bar { volume: bar.volume + 1.0, ..*bar });
        let agrees = |(bar, later): (&Bar, Bar)| *bar == later || bars[..100].contains(bar);
        assert_eq!(brought.bars[symbol].len(), bars.len());
        assert!(brought.bars[symbol].iter().zip(later).all(agrees), "{symbol}");
    }
}

#[tokio::test]
async fn a_refusal_for_no_reason_is_that_of_each_symbol() {
    let (_sim, retrying) = start(&AnswerFault::Refusal(400, "no".to_owned()).into(), usize::MAX).await;
    let brought = bring(&retrying).await;
    assert_eq!(brought.set_aside, ["AAPL VALIDATION_ERROR", "MSFT VALIDATION_ERROR"]);
}

#[tokio::test]
async fn bars_that_are_null_or_absent_are_no_bars() {
    for fault in [PageFault::NullBars, PageFault::MissingBars, PageFault::ArrayBars] {
        let (sim, retrying) = start(&fault.into(), usize::MAX).await;
        let brought = bring(&retrying).await;
        assert_eq!((brought.code, sim.requests().total), (None, 8), "{fault:?}");
        are_a_beginning_of(&brought, &truth(&sim));
    }
}
