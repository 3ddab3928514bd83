//! Bars that compress, index and compare like real ones: prices in cents, vwaps of six decimals.

use barkeep_store::{Commit, State};
use barkeep_types::{Adjustment, Bar, Feed, Series, TimeRange, Timeframe};
use chrono::DateTime;

pub const PAGE: usize = 10_000;
/// 2020-01-02T14:30:00Z.
const OPEN: i64 = 1_577_975_400;

pub fn series(number: usize) -> Series {
    Series {
        symbol: format!("S{number}").parse().expect("a symbol"),
        timeframe: Timeframe::M1,
        feed: Feed::SIP,
        adjustment: Adjustment::RAW,
    }
}

/// Page `number` of a series: minutes one after the other.
pub fn bars(series: usize, page: usize) -> Vec<Bar> {
    let mut seed = (series * 1_000_003 + page) as u64;
    let mut random = move || {
        // SplitMix64: a page depends on nothing but its numbers.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize
    };
    let mut cents = 5_000 + random() % 50_000;
    let bar = |index: usize| {
        let open = cents;
        cents = (cents + random() % 41).saturating_sub(20).max(100);
        let (high, low) = (open.max(cents) + random() % 8, open.min(cents) - random() % 8);
        let price = |cents: usize| cents as f64 / 100.0;
        Bar {
            start: at(page * PAGE + index),
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(cents),
            volume: (100 + random() % 100_000) as f64,
            vwap: Some((high + low) as f64 / 200.0 + (random() % 1_000) as f64 / 1e6),
            trade_count: Some((1 + random() % 900) as u64),
        }
    };
    (0..PAGE).map(bar).collect()
}

fn at(minute: usize) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(OPEN + 60 * minute as i64, 0).expect("a minute of this century")
}

pub fn range(from_page: usize, to_page: usize) -> TimeRange {
    TimeRange::new(at(from_page * PAGE), at(to_page * PAGE)).expect("pages have a length")
}

pub fn commit(number: usize, page: usize, bars: Vec<Bar>) -> Commit {
    Commit::new(range(page, page + 1)).with_bars(series(number), bars).with_proof(
        series(number),
        range(page, page + 1),
        State::Covered,
    )
}
