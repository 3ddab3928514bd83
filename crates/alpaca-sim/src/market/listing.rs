use std::ops::RangeInclusive;

use barkeep_types::{Symbol, TimeRange};
use chrono::{DateTime, NaiveDate, Utc};

use super::actions::{Action, Event};

/// One instrument of the synthetic market, and what happens to it.
///
/// ```
/// use barkeep_alpaca_sim::Listing;
/// use chrono::NaiveDate;
///
/// let date = |month, day| NaiveDate::from_ymd_opt(2024, month, day).unwrap();
/// let thin = Listing::new("THIN".parse()?)
///     .with_liquidity(0.01)
///     .with_split(date(6, 10), 10.0, 1.0)
///     .renamed_from("SLIM".parse()?, date(9, 3));
/// # Ok::<(), barkeep_types::InvalidSymbol>(())
/// ```
#[derive(Clone, Debug)]
pub struct Listing {
    pub(crate) symbol: Symbol,
    pub(crate) name: String,
    pub(crate) exchange: String,
    pub(crate) liquidity: f64,
    pub(crate) price: Option<f64>,
    pub(crate) first: Option<NaiveDate>,
    pub(crate) last: Option<NaiveDate>,
    /// Earliest first.
    pub(crate) events: Vec<Event>,
    pub(crate) holes: Vec<Hole>,
}

/// Time of which the vendor has no bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hole {
    pub(crate) range: TimeRange,
    /// From when on it has them after all.
    pub(crate) mended: Option<DateTime<Utc>>,
}

impl Listing {
    /// Lists an instrument that trades in nearly every minute, at a price drawn from the market's seed. A symbol with
    /// a slash, like `BTC/USD`, is a coin and trades around the clock.
    pub fn new(symbol: Symbol) -> Self {
        let exchange = if symbol.as_str().contains('/') { "CRYPTO" } else { "NASDAQ" };
        Self {
            name: format!("{symbol} Simulated"),
            symbol,
            exchange: exchange.to_owned(),
            liquidity: 1.0,
            price: None,
            first: None,
            last: None,
            events: Vec::new(),
            holes: Vec::new(),
        }
    }

    /// Sets the company's name, as the assets endpoint tells it.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets the exchange, as the assets endpoint tells it: `NASDAQ` by default.
    #[must_use]
    pub fn with_exchange(self, exchange: impl Into<String>) -> Self {
        Self { exchange: exchange.into(), ..self }
    }

    /// Sets the share of regular minutes that have a trade, 0 to 1; extended hours have about half of that.
    #[must_use]
    pub fn with_liquidity(self, liquidity: f64) -> Self {
        Self { liquidity: liquidity.clamp(0.0, 1.0), ..self }
    }

    /// Sets the price in dollars that the instrument swings around, as of after its last split.
    #[must_use]
    pub fn with_price(self, price: f64) -> Self {
        Self { price: Some(price), ..self }
    }

    /// Sets the first day of trading.
    #[must_use]
    pub fn listed_from(self, first: NaiveDate) -> Self {
        Self { first: Some(first), ..self }
    }

    /// Sets the last day of trading: delisted from the next day on.
    #[must_use]
    pub fn listed_until(self, last: NaiveDate) -> Self {
        Self { last: Some(last), ..self }
    }

    /// Gives `new` shares for `old` ones from `ex_date` on: 4 for 1 quarters the price, 1 for 8 is a reverse split.
    #[must_use]
    pub fn with_split(self, ex_date: NaiveDate, new: f64, old: f64) -> Self {
        self.with_event(ex_date, Action::Split { new, old })
    }

    /// Pays `cash` dollars a share to those who hold it before `ex_date`.
    #[must_use]
    pub fn with_dividend(self, ex_date: NaiveDate, cash: f64) -> Self {
        self.with_event(ex_date, Action::Dividend { cash })
    }

    /// Hands out shares of `spun_off`, worth `value` dollars for each share held before `ex_date`.
    #[must_use]
    pub fn with_spin_off(self, ex_date: NaiveDate, spun_off: Symbol, value: f64) -> Self {
        self.with_event(ex_date, Action::SpinOff { spun_off, value })
    }

    /// Lets the instrument have traded as `old` before `date`. Of several renames, say the earliest first.
    #[must_use]
    pub fn renamed_from(self, old: Symbol, date: NaiveDate) -> Self {
        self.with_event(date, Action::Rename { old })
    }

    /// Stops trading for a while.
    #[must_use]
    pub fn with_halt(mut self, range: TimeRange) -> Self {
        self.holes.push(Hole { range, mended: None });
        self
    }

    /// Lets the vendor miss the bars of `range` until `mended`, as happens: whoever asks earlier gets an empty answer.
    #[must_use]
    pub fn with_hole(mut self, range: TimeRange, mended: DateTime<Utc>) -> Self {
        self.holes.push(Hole { range, mended: Some(mended) });
        self
    }

    fn with_event(mut self, date: NaiveDate, action: Action) -> Self {
        self.events.push(Event { date, action });
        self.events.sort_by_key(|event| event.date);
        self
    }

    /// The name it trades under on a day.
    pub(crate) fn name_on(&self, date: NaiveDate) -> Symbol {
        let names = self.names();
        let named = names.iter().rev().find(|name| name.first <= date).or(names.first());
        named.map_or_else(|| self.symbol.clone(), |name| name.symbol.clone())
    }

    /// The names the instrument has had, earliest first.
    pub(crate) fn names(&self) -> Vec<Name> {
        let renames = self.events.iter().filter_map(|event| match &event.action {
            Action::Rename { old } => Some((old.clone(), event.date)),
            _ => None,
        });
        let (mut first, mut known_first) = (self.first(), self.first());
        let mut names = Vec::new();
        for (symbol, date) in renames {
            names.push(Name { symbol, first, last: date.pred_opt().unwrap_or(first), known: known_first..=date });
            (first, known_first) = (date, date.succ_opt().unwrap_or(date));
        }
        names.push(Name { symbol: self.symbol.clone(), first, last: self.last(), known: known_first..=self.last() });
        names
    }

    pub(crate) fn first(&self) -> NaiveDate {
        self.first.unwrap_or(NaiveDate::MIN)
    }

    pub(crate) fn last(&self) -> NaiveDate {
        self.last.unwrap_or(NaiveDate::MAX)
    }
}

/// A symbol, and when an instrument traded under it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) symbol: Symbol,
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    /// When the vendor knows it: a rename from the day after it on.
    pub(crate) known: RangeInclusive<NaiveDate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_ends_the_day_before_the_next_begins_and_is_known_a_day_longer() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let symbol = |text: &str| text.parse::<Symbol>().unwrap();
        let listing = Listing::new(symbol("META")).renamed_from(symbol("FB"), date("2022-06-09"));
        let names = listing.names();
        assert_eq!((names[0].symbol.as_str(), names[1].symbol.as_str()), ("FB", "META"));
        assert_eq!((names[0].last, names[1].first), (date("2022-06-08"), date("2022-06-09")));
        assert_eq!((*names[0].known.end(), *names[1].known.start()), (date("2022-06-09"), date("2022-06-10")));
        assert_eq!(listing.name_on(date("2022-06-08")), symbol("FB"));
        assert_eq!(listing.name_on(date("2022-06-09")), symbol("META"));
    }
}
