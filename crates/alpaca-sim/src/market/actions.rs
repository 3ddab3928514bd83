//! Corporate actions, and what they do to prices and volumes of the past.

use barkeep_types::{Adjustment, Symbol};
use chrono::NaiveDate;

use crate::candle::{Candle, Decimals, rounded};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// The first day that trades under the new terms.
    pub(crate) date: NaiveDate,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Split { new: f64, old: f64 },
    Dividend { cash: f64 },
    SpinOff { spun_off: Symbol, value: f64 },
    Rename { old: Symbol },
}

/// What is done to the bars of each day before some dates: factors on prices and on volume.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Factors {
    /// Bars that start before the first element are multiplied by the second and third. Earliest first.
    steps: Vec<(i64, f64, f64)>,
}

impl Factors {
    /// What makes raw prices of prices that know no splits.
    pub(crate) fn unsplit(events: &[Event], midnight: impl Fn(NaiveDate) -> i64) -> Self {
        Self::of(events, midnight, |event| match event.action {
            Action::Split { new, old } => Some((new / old, old / new)),
            _ => None,
        })
    }

    /// What makes adjusted prices of raw ones; `close_before` is the last raw close before a date.
    pub(crate) fn adjusting(
        events: &[Event],
        midnight: impl Fn(NaiveDate) -> i64,
        adjustment: Adjustment,
        close_before: impl Fn(NaiveDate) -> Option<f64>,
    ) -> Self {
        let asked = |part| adjustment | part == adjustment;
        let paid = |date, value: f64| {
            close_before(date).filter(|close| *close > value).map(|close| (1.0 - value / close, 1.0))
        };
        Self::of(events, midnight, |event| match event.action {
            Action::Split { new, old } if asked(Adjustment::SPLIT) => Some((old / new, new / old)),
            Action::Dividend { cash } if asked(Adjustment::DIVIDEND) => paid(event.date, cash),
            Action::SpinOff { value, .. } if asked(Adjustment::SPIN_OFF) => paid(event.date, value),
            _ => None,
        })
    }

    fn of(
        events: &[Event],
        midnight: impl Fn(NaiveDate) -> i64,
        factors: impl Fn(&Event) -> Option<(f64, f64)>,
    ) -> Self {
        let (mut steps, mut prices, mut volumes) = (Vec::new(), 1.0, 1.0);
        for event in events.iter().rev() {
            if let Some((price, volume)) = factors(event) {
                (prices, volumes) = (prices * price, volumes * volume);
                steps.push((midnight(event.date), prices, volumes));
            }
        }
        steps.reverse();
        Self { steps }
    }

    /// The factors on the prices and the volume of a bar.
    #[inline]
    pub(crate) fn at(&self, start: i64) -> (f64, f64) {
        if self.steps.is_empty() {
            return (1.0, 1.0);
        }
        let next = self.steps.partition_point(|(date, ..)| *date <= start);
        self.steps.get(next).map_or((1.0, 1.0), |(_, price, volume)| (*price, *volume))
    }

    /// Adjusts a bar, to four decimals, as the vendor does.
    pub(crate) fn apply(&self, candle: Candle) -> Candle {
        let (price, volume) = self.at(candle.start);
        if (price, volume) == (1.0, 1.0) {
            return candle;
        }
        let adjusted = |value: f64| rounded(value * price, Decimals::Four).max(0.000_1);
        Candle {
            open: adjusted(candle.open),
            high: adjusted(candle.high),
            low: adjusted(candle.low),
            close: adjusted(candle.close),
            volume: rounded(candle.volume * volume, Decimals::Zero),
            vwap: candle.vwap.map(|vwap| rounded(vwap * price, Decimals::Six)),
            ..candle
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i32) -> NaiveDate {
        NaiveDate::from_epoch_days(number).unwrap()
    }

    fn midnight(date: NaiveDate) -> i64 {
        i64::from(date.to_epoch_days())
    }

    fn events() -> [Event; 3] {
        [
            Event { date: day(10), action: Action::Split { new: 2.0, old: 1.0 } },
            Event { date: day(20), action: Action::Dividend { cash: 1.0 } },
            Event { date: day(30), action: Action::Split { new: 1.0, old: 4.0 } },
        ]
    }

    #[test]
    fn every_later_split_counts() {
        let unsplit = Factors::unsplit(&events(), midnight);
        assert_eq!([9, 10, 29, 30].map(|at| unsplit.at(at).0), [0.5, 0.25, 0.25, 1.0]);
        let split = Factors::adjusting(&events(), midnight, Adjustment::SPLIT, |_| None);
        assert_eq!([9, 10, 29, 30].map(|at| split.at(at)), [(2.0, 0.5), (4.0, 0.25), (4.0, 0.25), (1.0, 1.0)]);
    }

    #[test]
    fn a_dividend_counts_against_the_close_before() {
        let close = |_| Some(50.0);
        let paid = Factors::adjusting(&events(), midnight, Adjustment::DIVIDEND, close);
        assert_eq!([19, 20].map(|at| paid.at(at)), [(0.98, 1.0), (1.0, 1.0)]);
        assert_eq!(Factors::adjusting(&events(), midnight, Adjustment::RAW, close), Factors::default());
    }
}
