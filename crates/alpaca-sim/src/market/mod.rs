//! What trades, and every bar of it.

mod listing;
mod names;
mod noise;
mod prices;
mod tape;

use std::collections::BTreeMap;

use barkeep_types::{Bar, Series, Symbol, TimeRange};
use chrono::{DateTime, NaiveDate, Utc};

pub use listing::Listing;
pub(crate) use tape::{Order, Tape, View};

use crate::aggregate::Bars;
use crate::days::Calendar;
use crate::span::Span;
use noise::Noise;
use prices::Prices;

/// The first trading day of the vendor's history, which is said to be "since 2016".
const HISTORY_START: NaiveDate = NaiveDate::from_ymd_opt(2016, 1, 4).expect("a date");

/// Everything that trades, and every bar of it: a pure function of the seed, the symbol and the minute.
///
/// Any test can ask for [`truth`](Market::truth): what must be stored once everything was fetched.
#[derive(Clone, Debug)]
pub struct Market {
    noise: Noise,
    history_start: NaiveDate,
    instruments: BTreeMap<Symbol, Instrument>,
}

#[derive(Clone, Debug)]
pub(crate) struct Instrument {
    listing: Listing,
    calendar: Calendar,
    prices: Prices,
}

impl Market {
    /// A market of some hundred well-known names, whose bars are drawn from a seed and start on 2016-01-04.
    #[expect(clippy::missing_panics_doc, reason = "the well-known names are symbols")]
    pub fn new(seed: u64) -> Self {
        let market = Self { noise: Noise::new(seed), history_start: HISTORY_START, instruments: BTreeMap::new() };
        names::WELL_KNOWN.iter().fold(market, |market, name| {
            let symbol = name.parse().expect("a well-known name is a symbol");
            market.with_listing(Listing::new(symbol))
        })
    }

    /// Lists an instrument, or replaces the one of that symbol.
    #[must_use]
    pub fn with_listing(mut self, listing: Listing) -> Self {
        let calendar = if listing.symbol.as_str().contains('/') { Calendar::Always } else { Calendar::NewYork };
        let noise = self.noise.named(listing.symbol.as_str());
        let prices = Prices {
            noise,
            base: listing.price.unwrap_or_else(|| 15.0 + 400.0 * noise.at(1).unit() * noise.at(2).unit()),
            liquidity: listing.liquidity,
            daily_volume: (1.0 + 40.0 * noise.at(3).unit()) * 1e6 * listing.liquidity.max(1e-4),
            fractional: calendar == Calendar::Always,
        };
        self.instruments.insert(listing.symbol.clone(), Instrument { listing, calendar, prices });
        self
    }

    /// Sets the first day of the vendor's history; nothing before it is served.
    #[must_use]
    pub fn with_history_start(self, history_start: NaiveDate) -> Self {
        Self { history_start, ..self }
    }

    /// The symbols that trade, in the order in which they are served.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.instruments.keys()
    }

    /// What must be stored of a series: its bars that start within `range`, settled, earliest first. Empty for a
    /// symbol that does not trade.
    pub fn truth(&self, series: &Series, range: TimeRange) -> Vec<Bar> {
        self.truth_at(series, range, DateTime::<Utc>::MAX_UTC)
    }

    /// What is served of a series at some instant: no bar that has not begun, and the running one as far as it got.
    pub fn truth_at(&self, series: &Series, range: TimeRange, now: DateTime<Utc>) -> Vec<Bar> {
        let view = View { feed: series.feed.as_str().to_owned(), now: now.timestamp() };
        let Some(tape) = self.tape(&series.symbol, &view) else { return Vec::new() };
        let span = Span::from(series.timeframe);
        let from = range.start().timestamp() + i64::from(range.start().timestamp_subsec_nanos() > 0);
        let last = range.end().timestamp() - i64::from(range.end().timestamp_subsec_nanos() == 0);
        let to = span.last_second(last, tape.calendar());
        let bars = Bars::of(&tape, span, from, to, Order::Ascending);
        bars.filter(|made| made.candle.start >= from).map(|made| made.candle.bar()).collect()
    }

    pub(crate) fn tape(&self, symbol: &Symbol, view: &View) -> Option<Tape<'_>> {
        self.instruments.get(symbol).map(|instrument| Tape::new(instrument, self.history_start, view))
    }
}
