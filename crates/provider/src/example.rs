//! Bars and requests that the tests of several modules share.

use barkeep_types::{Adjustment, Bar, Feed, Series, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, Utc};

use crate::conformance::Subject;
use crate::testing::MemoryProvider;
use crate::{BarsRequest, Limits, SymbolBars};

pub(crate) fn symbol(text: &str) -> Symbol {
    text.parse().expect("a symbol")
}

pub(crate) fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_709_856_000 + minute * 60, 0).expect("an instant")
}

pub(crate) fn bar(minute: i64) -> Bar {
    let (open, high, low, close) = (10.0, 12.0, 9.0, 11.0);
    Bar { start: at(minute), open, high, low, close, volume: 100.0, vwap: None, trade_count: None }
}

pub(crate) fn of(symbol: &str, minutes: impl IntoIterator<Item = i64>) -> SymbolBars {
    SymbolBars { symbol: self::symbol(symbol), bars: minutes.into_iter().map(bar).collect() }
}

/// Minute bars of some symbols over the first `minutes`.
pub(crate) fn request(symbols: &[&str], minutes: i64) -> BarsRequest {
    let range = TimeRange::new(at(0), at(minutes)).expect("a range");
    let symbols = symbols.iter().map(|text| symbol(text));
    BarsRequest::new(symbols, Timeframe::M1, Feed::SIP, range).expect("a request")
}

pub(crate) fn series(symbol: &Symbol) -> Series {
    Series { symbol: symbol.clone(), timeframe: Timeframe::M1, feed: Feed::SIP, adjustment: Adjustment::RAW }
}

/// A provider of these bars that puts so many on a page.
pub(crate) fn memory(bars_a_page: u32, bars: &[SymbolBars]) -> MemoryProvider {
    let provider = MemoryProvider::default().with_limits(Limits::new(bars_a_page));
    bars.iter().fold(provider, |provider, of| provider.with_bars(series(&of.symbol), of.bars.clone()))
}

/// Three symbols, one of them unknown, on small pages, behind a wrapper.
pub(crate) fn subject<P: crate::Provider>(wrap: impl FnOnce(MemoryProvider) -> P) -> Subject {
    let truth = vec![of("A", (0..9).step_by(2)), of("C", 0..7)];
    let limits = Limits { requests_a_minute: Some(6_000), ..Limits::new(4) };
    let provider = wrap(memory(4, &truth).with_limits(limits));
    Subject::new(provider, request(&["A", "B", "C"], 10), truth)
}
