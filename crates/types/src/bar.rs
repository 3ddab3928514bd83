use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One open-high-low-close-volume record, labelled by where it starts.
///
/// Prices, volume and vwap are `f64`, as in Arrow, Polars, pandas and vendors' JSON: a decimal of up to 15 digits
/// survives the round trip exactly. A bar may hold any numbers; [`Bar::check`] tells whether they can be true.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Where the bar starts.
    pub start: DateTime<Utc>,
    /// The first price.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
    /// What was traded, in shares or coins.
    pub volume: f64,
    /// The volume-weighted average price, if the vendor gives one. It may lie outside of low and high: vendors count
    /// trades in it that set neither.
    pub vwap: Option<f64>,
    /// How many trades there were, if the vendor says.
    pub trade_count: Option<u64>,
}

/// One reason why a bar cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BarFault {
    /// A price, the volume or the vwap is NaN or infinite.
    NotFinite,
    /// A price or the vwap is zero or negative.
    PriceNotPositive,
    /// A price or the volume is positive but too small to be real (below 1e-12), as after a decoding error.
    TooSmall,
    /// The high is below the low.
    HighBelowLow,
    /// The open lies outside of low and high.
    OpenOutside,
    /// The close lies outside of low and high.
    CloseOutside,
    /// The volume is negative.
    VolumeNegative,
    /// The volume is 2^53 or more, where `f64` no longer counts exactly.
    VolumeTooLarge,
    /// The trade count does not fit the databases' signed 64-bit integers, or was no count to begin with.
    TradeCountTooLarge,
    /// The bar starts before 1970 or after 2100.
    StartOutOfReach,
    /// The bar does not start on a whole second.
    StartNotWhole,
}

/// All reasons why a bar cannot be true; at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BarFaults(Vec<BarFault>);

impl BarFaults {
    /// The reasons.
    pub fn reasons(&self) -> &[BarFault] {
        &self.0
    }
}

impl fmt::Display for BarFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("impossible bar: ")?;
        for (index, reason) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(formatter, "{comma}{reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for BarFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFinite => "a number is not finite",
            Self::PriceNotPositive => "a price is not above zero",
            Self::TooSmall => "a number is too small to be real",
            Self::HighBelowLow => "the high is below the low",
            Self::OpenOutside => "the open is outside of low and high",
            Self::CloseOutside => "the close is outside of low and high",
            Self::VolumeNegative => "the volume is negative",
            Self::VolumeTooLarge => "the volume is 2^53 or more",
            Self::TradeCountTooLarge => "the trade count is no whole number of up to 63 bits",
            Self::StartOutOfReach => "the start is not between 1970 and 2100",
            Self::StartNotWhole => "the start is not a whole second",
        })
    }
}

/// 2100-01-01T00:00:00Z.
const START_LIMIT: i64 = 4_102_444_800;
const SMALLEST: f64 = 1e-12;
const VOLUME_LIMIT: f64 = 9_007_199_254_740_992.0;

impl Bar {
    /// Tells whether the bar's numbers can be true.
    ///
    /// Zero volume is possible (quotes make crypto bars), and so is a vwap outside of low and high.
    ///
    /// # Errors
    ///
    /// Every reason why they cannot, not only the first.
    pub fn check(&self) -> Result<(), BarFaults> {
        if self.is_possible() { Ok(()) } else { Err(BarFaults(self.faults())) }
    }

    /// Whether there are no faults, told faster: of thousands of bars nearly all are possible.
    fn is_possible(&self) -> bool {
        let is_price = |price: f64| (SMALLEST..f64::INFINITY).contains(&price);
        let is_between = |price: f64| self.low <= price && price <= self.high;
        is_price(self.low)
            && is_price(self.high)
            && is_between(self.open)
            && is_between(self.close)
            && self.vwap.is_none_or(is_price)
            && (self.volume == 0.0 || (SMALLEST..VOLUME_LIMIT).contains(&self.volume))
            && self.trade_count.is_none_or(|count| i64::try_from(count).is_ok())
            && (0..START_LIMIT).contains(&self.start.timestamp())
            && self.start.timestamp_subsec_nanos() == 0
    }

    fn faults(&self) -> Vec<BarFault> {
        let prices = [self.open, self.high, self.low, self.close];
        let (vwap, volume) = (self.vwap.unwrap_or(self.close), self.volume);
        let mut priced = prices.into_iter().chain([vwap]);
        let too_small = |number: f64| number > 0.0 && number < SMALLEST;
        let seconds = self.start.timestamp();
        let tests = [
            (!priced.clone().chain([volume]).all(f64::is_finite), BarFault::NotFinite),
            (priced.clone().any(|price| price <= 0.0), BarFault::PriceNotPositive),
            (priced.any(too_small) || too_small(volume), BarFault::TooSmall),
            (self.high < self.low, BarFault::HighBelowLow),
            (self.open < self.low || self.open > self.high, BarFault::OpenOutside),
            (self.close < self.low || self.close > self.high, BarFault::CloseOutside),
            (volume < 0.0, BarFault::VolumeNegative),
            (volume >= VOLUME_LIMIT, BarFault::VolumeTooLarge),
            (self.trade_count.is_some_and(|count| i64::try_from(count).is_err()), BarFault::TradeCountTooLarge),
            (!(0..START_LIMIT).contains(&seconds), BarFault::StartOutOfReach),
            (self.start.timestamp_subsec_nanos() != 0, BarFault::StartNotWhole),
        ];
        tests.into_iter().filter(|(failed, _)| *failed).map(|(_, reason)| reason).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar() -> Bar {
        Bar {
            start: DateTime::from_timestamp(1_709_908_200, 0).unwrap(),
            open: 10.0,
            high: 12.0,
            low: 9.0,
            close: 11.0,
            volume: 100.0,
            vwap: Some(12.5),
            trade_count: Some(3),
        }
    }

    fn faults(change: impl FnOnce(&mut Bar)) -> Vec<BarFault> {
        let mut bar = bar();
        change(&mut bar);
        bar.check().err().map(|faults| faults.0).unwrap_or_default()
    }

    #[test]
    fn a_bar_with_vwap_outside_of_low_and_high_is_possible() {
        assert_eq!(faults(|_| {}), []);
        assert_eq!(faults(|bar| bar.volume = 0.0), []);
        assert_eq!(faults(|bar| (bar.vwap, bar.trade_count) = (None, None)), []);
    }

    #[test]
    fn every_impossible_number_is_named() {
        use BarFault as Fault;
        assert_eq!(faults(|bar| bar.open = f64::NAN), [Fault::NotFinite]);
        assert_eq!(faults(|bar| bar.vwap = Some(f64::INFINITY)), [Fault::NotFinite]);
        assert_eq!(faults(|bar| bar.low = 0.0), [Fault::PriceNotPositive]);
        assert_eq!(faults(|bar| bar.volume = 5e-324), [Fault::TooSmall]);
        assert_eq!(faults(|bar| bar.open = 13.0), [Fault::OpenOutside]);
        assert_eq!(faults(|bar| bar.close = 8.0), [Fault::CloseOutside]);
        assert_eq!(faults(|bar| bar.volume = -1.0), [Fault::VolumeNegative]);
        assert_eq!(faults(|bar| bar.volume = 9_007_199_254_740_992.0), [Fault::VolumeTooLarge]);
        assert_eq!(faults(|bar| bar.trade_count = Some(u64::MAX)), [Fault::TradeCountTooLarge]);
        assert_eq!(faults(|bar| bar.start = DateTime::from_timestamp(-1, 0).unwrap()), [Fault::StartOutOfReach]);
        assert_eq!(
            faults(|bar| bar.start = DateTime::from_timestamp(START_LIMIT, 0).unwrap()),
            [Fault::StartOutOfReach]
        );
        assert_eq!(faults(|bar| bar.start += chrono::TimeDelta::nanoseconds(1)), [Fault::StartNotWhole]);
    }

    #[test]
    fn all_reasons_are_given_at_once() {
        let reasons = faults(|bar| (bar.high, bar.volume) = (8.0, -1.0));
        assert_eq!(
            reasons,
            [BarFault::HighBelowLow, BarFault::OpenOutside, BarFault::CloseOutside, BarFault::VolumeNegative]
        );
        assert_eq!(
            BarFaults(reasons[2..].to_vec()).to_string(),
            "impossible bar: the close is outside of low and high, the volume is negative"
        );
    }

    #[test]
    fn a_bar_is_possible_exactly_if_it_has_no_faults() {
        let numbers = [f64::NAN, f64::INFINITY, -1.0, -0.0, 9e-13, 1e-12, 1.0, 2.0, VOLUME_LIMIT];
        let total = numbers.len().pow(5);
        let mut possible = 0;
        for index in 0..total {
            let pick = |place: u32| numbers[index / numbers.len().pow(place) % numbers.len()];
            let [open, high, low, close] = [0, 1, 2, 3].map(pick);
            for other in [bar(), Bar { volume: pick(4), ..bar() }, Bar { vwap: Some(pick(4)), ..bar() }] {
                let bar = Bar { open, high, low, close, ..other };
                assert_eq!(bar.is_possible(), bar.faults().is_empty(), "{bar:?}");
                possible += u32::from(bar.is_possible());
            }
        }
        assert!(possible > 100);
    }
}
