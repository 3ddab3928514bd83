//! What trades, and every bar of it.

mod actions;
mod csv_file;
mod instrument;
mod listing;
mod names;
mod noise;
mod parquet_file;
mod prices;
mod recorded;
mod tape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use barkeep_calendar::{Calendar, Nyse};
use barkeep_types::{Bar, Series, Session, Symbol, TimeRange};
use chrono::{DateTime, NaiveDate, Utc};

pub(crate) use actions::{Action, Event};
pub use listing::Listing;
pub(crate) use noise::Noise;
pub(crate) use prices::Venue;
pub use recorded::RecordedSeries;
pub(crate) use tape::{Asof, Order, Tape, View};

use crate::Error;
use crate::aggregate::Bars;
use crate::days::Days;
use crate::span::Span;
use crate::zone::Zone;
use instrument::Instrument;
use listing::Name;
use recorded::Recording;
use tape::Piece;

/// The first trading day of the vendor's history, which is said to be "since 2016".
const HISTORY_START: NaiveDate = NaiveDate::from_ymd_opt(2016, 1, 4).expect("a date");

/// Everything that trades, and every bar of it: a pure function of the seed, the symbol and the minute, or recorded.
///
/// Any test can ask for [`truth`](Market::truth): what must be stored once everything was fetched.
#[derive(Clone, Debug)]
pub struct Market {
    noise: Noise,
    history_start: NaiveDate,
    days: Days,
    instruments: Vec<Instrument>,
    /// By every name that an instrument has had.
    names: BTreeMap<Symbol, Vec<Holding>>,
    recordings: BTreeMap<Symbol, Recording>,
}

/// An instrument's use of a symbol.
#[derive(Clone, Debug)]
struct Holding {
    instrument: usize,
    name: Name,
}

impl Market {
    /// A market of some hundred well-known names, whose bars are drawn from a seed and start on 2016-01-04. Their
    /// larger splits are those of their namesakes.
    pub fn new(seed: u64) -> Self {
        names::well_known().into_iter().fold(Self::empty(seed), Self::with_listing)
    }

    /// A market in which nothing trades yet.
    pub fn empty(seed: u64) -> Self {
        Self {
            noise: Noise::new(seed),
            history_start: HISTORY_START,
            days: Days::new(Nyse),
            instruments: Vec::new(),
            names: BTreeMap::new(),
            recordings: BTreeMap::new(),
        }
    }

    /// The bars of a folder of files named `<symbol>_<timeframe>.csv` with the columns
    /// `ts_utc,open,high,low,close,volume`, earliest first; `btc-usd_d1.csv` holds `BTC/USD`. With the feature `parquet`,
    /// files named `<symbol>_<timeframe>.parquet` with the same columns as well: a timestamp and numbers.
    ///
    /// They are served as they are, number by number, whatever the feed and adjustment; without vwap and trade count,
    /// which they lack. What was not recorded is aggregated: `m5` to `h4` from `m1`, `w1` and `mn1` from `d1`.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`], [`Error::NoRecords`] and [`Error::MalformedRecord`].
    pub fn recorded(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self { recordings: recorded::read_folder(folder.as_ref())?, ..Self::empty(0) })
    }

    /// Lists an instrument. One of the same symbol and first day is replaced; another first day uses the ticker again.
    #[must_use]
    pub fn with_listing(mut self, listing: Listing) -> Self {
        let holdings = self.names.get(&listing.symbol).into_iter().flatten();
        let same = holdings.map(|holding| holding.instrument).find(|index| {
            let old = &self.instruments[*index].listing;
            (&old.symbol, old.first) == (&listing.symbol, listing.first)
        });
        let index = same.unwrap_or(self.instruments.len());
        if same.is_some() {
            self.names.values_mut().for_each(|holdings| holdings.retain(|holding| holding.instrument != index));
        }
        for name in listing.names() {
            let holdings = self.names.entry(name.symbol.clone()).or_default();
            holdings.push(Holding { instrument: index, name });
            holdings.sort_by_key(|holding| holding.name.first);
        }
        let instrument = Instrument::new(listing, self.noise);
        match same {
            Some(index) => self.instruments[index] = instrument,
            None => self.instruments.push(instrument),
        }
        self
    }

    /// Sets the first day of the vendor's history: nothing synthetic before it is served.
    #[must_use]
    pub fn with_history_start(self, history_start: NaiveDate) -> Self {
        Self { history_start, ..self }
    }

    /// Sets when stocks trade: [`Nyse`] by default, to which [`Overrides`](barkeep_calendar::Overrides) can add the
    /// closures that no rule foresees.
    #[must_use]
    pub fn with_calendar(self, calendar: impl Calendar + 'static) -> Self {
        Self { days: Days::new(calendar), ..self }
    }

    /// The symbols that trade, in the order in which they are served.
    pub fn symbols(&self) -> BTreeSet<Symbol> {
        let listed = self.instruments.iter().map(|instrument| instrument.listing.symbol.clone());
        listed.chain(self.recordings.keys().cloned()).collect()
    }

    /// What was recorded, by symbol and timeframe; empty for a synthetic market.
    pub fn recorded_series(&self) -> Vec<RecordedSeries> {
        self.recordings.iter().flat_map(|(symbol, recording)| recording.series(symbol)).collect()
    }

    /// What must be stored of a series: its bars that start within `range`, final and with all that ever happens
    /// accounted for, earliest first. Empty for a symbol or feed that does not exist. Coins trade alike at `us` and the
    /// other places that clients name as their feed.
    pub fn truth(&self, series: &Series, range: TimeRange) -> Vec<Bar> {
        self.truth_at(series, range, DateTime::<Utc>::MAX_UTC)
    }

    /// The truth as far as it is known at some instant: no bar that has not begun, the running one as far as it got,
    /// adjusted for what has happened until then.
    pub fn truth_at(&self, series: &Series, range: TimeRange, now: DateTime<Utc>) -> Vec<Bar> {
        let Some(venue) = Venue::of(&series.symbol, series.feed.as_str()) else { return Vec::new() };
        let (adjustment, now) = (series.adjustment, now.timestamp());
        let view = View { venue, adjustment, asof: Asof::Today, now, settling: 0 };
        let Some(tape) = self.tape(&series.symbol, view) else { return Vec::new() };
        let span = Span::from(series.timeframe);
        let from = range.start().timestamp() + i64::from(range.start().timestamp_subsec_nanos() > 0);
        let last = range.end().timestamp() - i64::from(range.end().timestamp_subsec_nanos() == 0);
        let bars = Bars::of(&tape, span, from, span.last_second(last, tape.zone()), Order::Ascending);
        bars.filter(|made| made.candle.start >= from).map(|made| made.candle.bar()).collect()
    }

    pub(crate) fn recorded_symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.recordings.keys()
    }

    pub(crate) fn session(&self, date: NaiveDate) -> Option<Session> {
        self.days.session(date)
    }

    pub(crate) fn listings(&self) -> impl Iterator<Item = &Listing> {
        self.instruments.iter().map(|instrument| &instrument.listing)
    }

    /// The source bars that a symbol stands for; `None` if nothing ever traded under it.
    pub(crate) fn tape(&self, symbol: &Symbol, view: View) -> Option<Tape<'_>> {
        if let Some(recording) = self.recordings.get(symbol) {
            return Some(Tape::recorded(Zone::of(symbol), recording));
        }
        let holdings = self.names.get(symbol)?;
        let asof = match view.asof {
            Asof::Unmapped => None,
            Asof::Date(date) => Some(date),
            Asof::Today => Some(Zone::of(symbol).date(view.now)),
        };
        let holder = asof.and_then(|date| holdings.iter().rev().find(|holding| holding.name.known.contains(&date)));
        let pieces = match holder {
            Some(holding) => {
                let instrument = &self.instruments[holding.instrument];
                vec![self.piece(instrument, instrument.listing.first(), instrument.listing.last(), view)]
            }
            // Nobody holds it: whatever traded under the symbol, and nothing else.
            None => holdings
                .iter()
                .map(|Holding { instrument, name }| {
                    self.piece(&self.instruments[*instrument], name.first, name.last, view)
                })
                .collect(),
        };
        Tape::synthetic(&self.days, view, pieces)
    }

    /// An instrument from one day to another, both inclusive.
    fn piece<'market>(
        &'market self,
        instrument: &'market Instrument,
        first: NaiveDate,
        last: NaiveDate,
        view: View,
    ) -> Piece<'market> {
        let midnight = |date| instrument.zone.midnight(date);
        Piece {
            instrument,
            from: midnight(first.max(self.history_start)),
            to: last.succ_opt().map_or(i64::MAX, |next| midnight(next) - 1),
            factors: instrument.adjusting(&self.days, &view),
        }
    }
}

#[cfg(test)]
mod tests;
