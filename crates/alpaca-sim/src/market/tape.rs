//! The source bars of one instrument, as one caller may see them.

use chrono::NaiveDate;

use super::Instrument;
use super::prices::Venue;
use crate::candle::Candle;
use crate::days::{Calendar, Day};
use crate::span::Source;

/// Which of an instrument's truths is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) feed: String,
    /// Nothing later than this has happened.
    pub(crate) now: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// The source bars of one instrument, in one view.
#[derive(Clone, Debug)]
pub(crate) struct Tape<'market> {
    instrument: &'market Instrument,
    venue: Venue,
    first: i64,
    now: i64,
}

impl<'market> Tape<'market> {
    pub(super) fn new(instrument: &'market Instrument, history_start: NaiveDate, view: &View) -> Self {
        let listed = instrument.listing.first.map_or(history_start, |first| first.max(history_start));
        let last =
            instrument.listing.last.map_or(i64::MAX, |last| instrument.calendar.midnight(last + chrono::Days::new(1)));
        Self {
            instrument,
            venue: venue(&view.feed),
            first: instrument.calendar.midnight(listed),
            now: view.now.min(last),
        }
    }

    pub(crate) fn calendar(&self) -> Calendar {
        self.instrument.calendar
    }

    /// The source bars that start within `[from, to]`.
    pub(crate) fn read(
        &self,
        source: Source,
        from: i64,
        to: i64,
        order: Order,
    ) -> Box<dyn Iterator<Item = Candle> + '_> {
        let (from, to) = (from.max(self.first), to.min(self.now - 1));
        let days = self.calendar().days(from, to).into_iter();
        let of_day = move |day: Day| self.of_day(source, &day, from, to);
        match order {
            Order::Ascending => Box::new(days.flat_map(of_day)),
            Order::Descending => Box::new(days.rev().flat_map(move |day| of_day(day).into_iter().rev())),
        }
    }

    fn of_day(&self, source: Source, day: &Day, from: i64, to: i64) -> Vec<Candle> {
        let prices = &self.instrument.prices;
        match source {
            // A minute is served once it has ended.
            Source::Minutes => prices.minutes(day, self.venue, 1.0, from, to.min(self.now.saturating_sub(60))),
            Source::Days if (from..=to).contains(&day.midnight) => {
                prices.daily(day, self.venue, 1.0, self.now).into_iter().collect()
            }
            Source::Days => Vec::new(),
        }
    }
}

/// What each feed sees: IEX a few per cent of the volume, and not every minute.
fn venue(feed: &str) -> Venue {
    match feed {
        "iex" => Venue { salt: 1, volume_share: 0.02, minute_share: 0.85 },
        _ => Venue { salt: 0, volume_share: 1.0, minute_share: 1.0 },
    }
}
