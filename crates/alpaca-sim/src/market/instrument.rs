//! A listing with its prices, ready to be asked for the bars of any day.

use barkeep_types::Adjustment;
use chrono::NaiveDate;

use super::actions::{Event, Factors};
use super::listing::Listing;
use super::noise::Noise;
use super::prices::{Prices, Venue};
use super::tape::View;
use crate::candle::{Candle, Decimals, rounded};
use crate::days::{Day, Days};
use crate::span::Source;
use crate::zone::Zone;

#[derive(Clone, Debug)]
pub(crate) struct Instrument {
    pub(crate) listing: Listing,
    pub(crate) zone: Zone,
    prices: Prices,
    unsplit: Factors,
}

impl Instrument {
    pub(super) fn new(listing: Listing, market: Noise) -> Self {
        let zone = Zone::of(&listing.symbol);
        let first = listing.first.map_or(0, |first| first.to_epoch_days());
        // A ticker used again is another instrument.
        let noise = market.named(listing.symbol.as_str()).at(first.into());
        let drawn = 15.0 + 400.0 * noise.at(1).unit() * noise.at(2).unit();
        let prices = Prices {
            noise,
            base: listing.price.unwrap_or(drawn),
            liquidity: listing.liquidity,
            daily_volume: (1.0 + 40.0 * noise.at(3).unit()) * 1e6 * listing.liquidity.max(1e-4),
            fractional: zone == Zone::Utc,
        };
        let unsplit = Factors::unsplit(&listing.events, |date| zone.midnight(date));
        Self { listing, zone, prices, unsplit }
    }

    /// The raw source bars of a day that start within `[from, to]`, as they are known now.
    pub(super) fn raw(&self, source: Source, day: &Day, view: &View, from: i64, to: i64) -> Vec<Candle> {
        let (split, _) = self.unsplit.at(day.midnight);
        let mut bars = match source {
            // A minute is served once it has ended.
            Source::Minutes => self.prices.minutes(day, view.venue, split, from, to.min(view.now.saturating_sub(60))),
            Source::Days if (from..=to).contains(&day.midnight) => {
                self.prices.daily(day, view.venue, split, view.now).into_iter().collect()
            }
            Source::Days => Vec::new(),
        };
        if !self.listing.holes.is_empty() {
            bars.retain(|bar| !self.is_missing(source, bar.start, day, view.now));
        }
        let end = |bar: &Candle| if source == Source::Minutes { bar.start + 60 } else { day.end };
        for bar in bars.iter_mut().filter(|bar| end(bar) > view.now.saturating_sub(view.settling)) {
            *bar = provisional(*bar);
        }
        bars
    }

    /// What turns raw bars into those asked for, by what has happened until now.
    pub(super) fn adjusting(&self, days: &Days, view: &View) -> Factors {
        if view.adjustment == Adjustment::RAW {
            return Factors::default();
        }
        let midnight = |date| self.zone.midnight(date);
        let happened = self.listing.events.partition_point(|event| midnight(event.date) <= view.now);
        let happened: &[Event] = &self.listing.events[..happened];
        Factors::adjusting(happened, midnight, view.adjustment, |date| self.close_before(days, date))
    }

    fn close_before(&self, days: &Days, date: NaiveDate) -> Option<f64> {
        const LONGEST_CLOSURE: i64 = 10 * 86_400;
        let midnight = self.zone.midnight(date);
        let before = days.within(self.zone, midnight - LONGEST_CLOSURE, midnight - 1);
        let daily = |day: &Day| {
            let (split, _) = self.unsplit.at(day.midnight);
            self.prices.daily(day, Venue::SIP, split, i64::MAX)
        };
        before.iter().rev().find_map(daily).map(|bar| bar.close)
    }

    /// Whether a bar lies in a hole: a minute by its start, a day by all of its regular hours.
    fn is_missing(&self, source: Source, start: i64, day: &Day, now: i64) -> bool {
        let open = self.listing.holes.iter().filter(|hole| hole.mended.is_none_or(|mended| mended.timestamp() > now));
        let (first, last) = match source {
            Source::Minutes => (start, start),
            Source::Days => (day.open, day.close - 60),
        };
        open.map(|hole| (hole.range.start().timestamp(), hole.range.end().timestamp()))
            .any(|(from, to)| from <= first && last < to)
    }
}

/// A bar before the last trades were reported: a little less volume, and sometimes another close.
fn provisional(bar: Candle) -> Candle {
    let close = if Noise::new(bar.start.unsigned_abs()).unit() < 0.5 { bar.open } else { bar.close };
    let volume = bar.volume * 0.97;
    let is_whole = bar.volume.fract() == 0.0;
    Candle { close, volume: if is_whole { volume.floor().max(1.0) } else { rounded(volume, Decimals::Nine) }, ..bar }
}
