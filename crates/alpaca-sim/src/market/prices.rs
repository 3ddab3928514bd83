//! Synthetic prices: every bar is a pure function of the seed, the instrument and the minute.
//!
//! A day's level comes from a sum of slow waves, so that any day is found without walking there; within the day a
//! random walk, made by halving intervals, joins this day's level to the next one's. Only additions, multiplications,
//! divisions and square roots are used, which give the same bits on every machine.

use barkeep_types::Symbol;

use super::noise::Noise;
use crate::candle::{Candle, Decimals, rounded};
use crate::days::Day;
use crate::zone::{PLACES, Zone};

/// How one instrument trades, before any corporate action.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    pub(crate) noise: Noise,
    /// The price that the levels swing around.
    pub(crate) base: f64,
    /// The share of regular minutes that have a trade.
    pub(crate) liquidity: f64,
    /// Shares on an ordinary day.
    pub(crate) daily_volume: f64,
    /// Whether volumes have fractions, as coins do.
    pub(crate) fractional: bool,
}

/// What a feed sees of the trading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Venue {
    pub(crate) salt: i64,
    pub(crate) volume_share: f64,
    pub(crate) minute_share: f64,
}

impl Venue {
    /// The consolidated tape.
    pub(crate) const SIP: Self = Self { salt: 0, volume_share: 1.0, minute_share: 1.0 };
    /// One exchange, with a few per cent of the volume, which not every minute reaches.
    pub(crate) const IEX: Self = Self { salt: 1, volume_share: 0.02, minute_share: 0.85 };

    /// What is seen of a symbol under a feed: for coins that is the place where they trade.
    pub(crate) fn of(symbol: &Symbol, feed: &str) -> Option<Self> {
        if Zone::of(symbol) == Zone::Utc && PLACES.contains(&feed) { Some(Self::SIP) } else { Self::named(feed) }
    }

    fn named(feed: &str) -> Option<Self> {
        match feed {
            "sip" => Some(Self::SIP),
            "iex" => Some(Self::IEX),
            _ => None,
        }
    }
}

/// What splits had done to prices by some day: raw price = underlying price x this.
pub(crate) type SplitFactor = f64;

/// The days of the slowest wave, as a power of two.
const OCTAVES: u32 = 12;
const DAILY_SWING: f64 = 0.004;
const INTRADAY_SWING: f64 = 0.006;

impl Prices {
    /// The minute bars of a day that start within `[from, to]`, earliest first.
    pub(crate) fn minutes(&self, day: &Day, venue: Venue, split: SplitFactor, from: i64, to: i64) -> Vec<Candle> {
        let path = self.path(day);
        let here = self.noise.at(day.number).at(venue.salt);
        let volume = self.day_volume(day, venue) / split;
        let first = ((from - day.first).max(0) + 59) / 60;
        let last = (to - day.first).div_euclid(60).min(day.minutes() as i64 - 1);
        let minute = |index: i64| {
            let start = day.first + index * 60;
            let noise = here.at(index);
            if !self.trades_in(day, venue, noise, start) {
                return None;
            }
            let place = index as usize;
            Some(self.minute(
                noise,
                start,
                [path[place] * split, path[place + 1] * split],
                volume * share_of_day(day, start),
            ))
        };
        let mut bars = Vec::with_capacity(usize::try_from(last - first + 1).unwrap_or(0));
        bars.extend((first..=last).filter_map(minute));
        bars
    }

    /// The daily bar of a day whose trading stops at `until`: of its regular hours, and with the auctions that no
    /// minute holds, so that it is never quite the sum of its minutes.
    pub(crate) fn daily(&self, day: &Day, venue: Venue, split: SplitFactor, until: i64) -> Option<Candle> {
        let (first, end) = (index(day, day.open), index(day, day.close.min(until)));
        if first >= end || !self.trades_on(day, venue, until) {
            return None;
        }
        let path = self.path(day);
        let noise = self.noise.at(day.number).at(venue.salt).at(-1);
        let auction = |step| 1.0 + 0.000_2 * noise.at(step).signed();
        let open = cents(path[first] * split * auction(0));
        let close = cents(path[end] * split * auction(1));
        let extreme = |pick: fn(f64, f64) -> f64, start| path[first..=end].iter().copied().fold(start, pick);
        let high = cents(extreme(f64::max, f64::MIN) * split * (1.0 + 0.000_3 * noise.at(2).unit()));
        let low = cents(extreme(f64::min, f64::MAX) * split * (1.0 - 0.000_3 * noise.at(3).unit()));
        let (high, low) = (high.max(open).max(close), low.min(open).min(close));
        let elapsed = (end - first) as f64 / (index(day, day.close) - first) as f64;
        let volume = self.shares(self.day_volume(day, venue) / split * elapsed);
        Some(Candle {
            start: day.midnight,
            open,
            high,
            low,
            close,
            volume,
            vwap: Some(rounded((open + high + low + close) / 4.0, Decimals::Six)),
            trades: Some((volume / 90.0) as u64 + 1),
        })
    }

    /// The prices at the bounds of a day's minutes.
    fn path(&self, day: &Day) -> Vec<f64> {
        let minutes = day.minutes();
        let size = minutes.next_power_of_two();
        let noise = self.noise.at(day.number);
        let mut walk = vec![0.0; size + 1];
        let (mut step, mut swing) = (size, INTRADAY_SWING);
        while step > 1 {
            let half = step / 2;
            for middle in (half..size).step_by(step) {
                let between = (walk[middle - half] + walk[middle + half]) / 2.0;
                walk[middle] = between + swing * noise.at(middle as i64).signed();
            }
            (step, swing) = (half, swing * std::f64::consts::FRAC_1_SQRT_2);
        }
        let (level, next, drift) = (self.level(day.number), self.level(day.number + 1), walk[minutes]);
        walk.truncate(minutes + 1);
        for (index, price) in walk.iter_mut().enumerate() {
            let passed = index as f64 / minutes as f64;
            *price = (level + (next - level) * passed) * (1.0 + *price - drift * passed);
        }
        walk
    }

    /// The price level at the start of a day: waves of 1 to 2048 days, each as strong as the root of its length.
    fn level(&self, day: i64) -> f64 {
        let waves = self.noise.at(i64::MIN);
        let sum: f64 = (0..OCTAVES)
            .map(|octave| {
                let length = 1_i64 << octave;
                let wave = waves.at(octave.into());
                let (cell, passed) = (day.div_euclid(length), day.rem_euclid(length) as f64 / length as f64);
                let (left, right) = (wave.at(cell).signed(), wave.at(cell + 1).signed());
                (length as f64).sqrt() * (left + (right - left) * passed)
            })
            .sum();
        let swing = DAILY_SWING * sum; // Within -0.61 and 0.61.
        self.base * (1.0 + swing) / (1.0 - swing)
    }

    fn day_volume(&self, day: &Day, venue: Venue) -> f64 {
        let mood = 0.5 + 1.2 * self.noise.at(day.number).at(-2).unit();
        self.daily_volume * mood * venue.volume_share
    }

    fn trades_in(&self, day: &Day, venue: Venue, noise: Noise, start: i64) -> bool {
        let regular = day.open <= start && start < day.close;
        let share = self.liquidity * venue.minute_share * if regular { 1.0 } else { 0.6 };
        // Even the busiest instrument misses a minute at times.
        noise.unit() < share.min(0.999)
    }

    /// Whether anything traded on a day before `until`.
    fn trades_on(&self, day: &Day, venue: Venue, until: i64) -> bool {
        let here = self.noise.at(day.number).at(venue.salt);
        (0..day.minutes() as i64)
            .map(|index| (index, day.first + index * 60))
            .any(|(index, start)| start < until && self.trades_in(day, venue, here.at(index), start))
    }

    fn minute(&self, noise: Noise, start: i64, [open, close]: [f64; 2], volume: f64) -> Candle {
        let (high, low) = (open.max(close), open.min(close));
        let (open, close) = (cents(open), cents(close));
        let high = cents(high * (1.0 + 0.000_4 * noise.at(0).unit())).max(open).max(close);
        let low = cents(low * (1.0 - 0.000_4 * noise.at(1).unit())).min(open).min(close);
        let volume = self.shares(volume * (0.3 + 1.4 * noise.at(2).unit()));
        let middle = low + (high - low) * noise.at(3).unit();
        // Odd lots count in the average and set no price, so that it may lie a little above the high.
        let vwap = if noise.at(4).bits().is_multiple_of(500) { high + 0.000_634 } else { middle };
        let trades = (volume / (20.0 + 100.0 * noise.at(5).unit())) as u64 + 1;
        Candle { start, open, high, low, close, volume, vwap: Some(rounded(vwap, Decimals::Six)), trades: Some(trades) }
    }

    fn shares(&self, volume: f64) -> f64 {
        if self.fractional { rounded(volume, Decimals::Nine) } else { (volume as i64 as f64).max(1.0) }
    }
}

/// The share of a day's volume that a minute has: most at the open and the close, little outside of regular hours.
fn share_of_day(day: &Day, start: i64) -> f64 {
    let minutes = ((day.close - day.open) / 60) as f64;
    if start < day.open || start >= day.close {
        return 0.05 / minutes;
    }
    let from_noon = ((start - day.open) as f64 / 60.0 / minutes - 0.5) * 2.0;
    (0.6 + 1.1 * from_noon * from_noon) / minutes
}

fn index(day: &Day, instant: i64) -> usize {
    usize::try_from((instant - day.first) / 60).unwrap_or(0)
}

/// To the cent, or to a hundredth of one for prices below a dollar.
fn cents(price: f64) -> f64 {
    rounded(price, if price < 1.0 { Decimals::Four } else { Decimals::Two }).max(0.000_1)
}
