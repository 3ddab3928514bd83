//! One bar while it is made, aggregated and served: times in Unix seconds, because it is made by the million.

use std::io::Write;

use barkeep_types::Bar;
use chrono::DateTime;

use crate::stamp;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candle {
    pub(crate) start: i64,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: f64,
    /// Absent, like the trade count, in recorded bars, whose source has neither.
    pub(crate) vwap: Option<f64>,
    pub(crate) trades: Option<u64>,
}

impl Candle {
    /// One bar out of the bars within it, earliest first; `None` of none.
    pub(crate) fn of(members: &[Candle], start: i64) -> Option<Candle> {
        if let [only] = members {
            return Some(Candle { start, ..*only });
        }
        let (first, last) = (members.first()?, members.last()?);
        let volume: f64 = members.iter().map(|member| member.volume).sum();
        let turnover = members
            .iter()
            .try_fold(0.0, |sum, member| Some(sum + member.vwap? * member.volume))
            .filter(|_| volume > 0.0);
        Some(Candle {
            start,
            open: first.open,
            high: members.iter().map(|member| member.high).fold(f64::MIN, f64::max),
            low: members.iter().map(|member| member.low).fold(f64::MAX, f64::min),
            close: last.close,
            volume: rounded(volume, Decimals::Nine),
            vwap: turnover.map_or(last.vwap, |turnover| Some(rounded(turnover / volume, Decimals::Six))),
            trades: members.iter().try_fold(0, |sum, member| Some(sum + member.trades?)),
        })
    }

    /// Appends the bar as the vendor writes it: whole numbers without a fraction, seconds without a fraction.
    pub(crate) fn write_json(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"c\":");
        number(text, self.close);
        text.extend_from_slice(b",\"h\":");
        number(text, self.high);
        text.extend_from_slice(b",\"l\":");
        number(text, self.low);
        if let Some(trades) = self.trades {
            write!(text, ",\"n\":{trades}").expect("a vector takes every byte");
        }
        text.extend_from_slice(b",\"o\":");
        number(text, self.open);
        text.extend_from_slice(b",\"t\":\"");
        stamp::write(text, self.start);
        text.extend_from_slice(b"\",\"v\":");
        number(text, self.volume);
        if let Some(vwap) = self.vwap {
            text.extend_from_slice(b",\"vw\":");
            number(text, vwap);
        }
        text.push(b'}');
    }

    pub(crate) fn bar(&self) -> Bar {
        Bar {
            start: DateTime::from_timestamp_secs(self.start).expect("days end long before chrono's time does"),
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: self.volume,
            vwap: self.vwap,
            trade_count: self.trades,
        }
    }
}

/// The shortest text that reads back as the same number.
fn number(text: &mut Vec<u8>, value: f64) {
    write!(text, "{value}").expect("a vector takes every byte");
}

/// A positive number with at most so many decimals.
#[inline]
pub(crate) fn rounded(value: f64, decimals: Decimals) -> f64 {
    let scale = decimals.scale();
    let scaled = value * scale;
    // Beyond 2^53 there are no decimals to round. Integers round faster than doubles do, and this is the inner loop.
    if scaled < 9e15 { (scaled + 0.5) as i64 as f64 / scale } else { value }
}

/// How many digits stand behind the point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decimals {
    Zero,
    Two,
    Four,
    Six,
    Nine,
}

impl Decimals {
    const fn scale(self) -> f64 {
        match self {
            Self::Zero => 1.0,
            Self::Two => 1e2,
            Self::Four => 1e4,
            Self::Six => 1e6,
            Self::Nine => 1e9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(start: i64, price: f64, volume: f64) -> Candle {
        Candle {
            start,
            open: price,
            high: price + 1.0,
            low: price - 1.0,
            close: price + 0.5,
            volume,
            vwap: Some(price),
            trades: Some(2),
        }
    }

    #[test]
    fn an_aggregate_opens_with_the_first_and_closes_with_the_last() {
        let whole = Candle::of(&[candle(60, 10.0, 100.0), candle(120, 20.0, 300.0)], 0).unwrap();
        let expected = Candle {
            start: 0,
            open: 10.0,
            high: 21.0,
            low: 9.0,
            close: 20.5,
            volume: 400.0,
            vwap: Some(17.5),
            trades: Some(4),
        };
        assert_eq!(whole, expected);
        assert_eq!(Candle::of(&[], 0), None);
    }

    #[test]
    fn whole_prices_are_written_without_a_fraction() {
        let mut text = Vec::new();
        candle(1_641_196_800, 174.0, 1e6).write_json(&mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"c":174.5,"h":175,"l":173,"n":2,"o":174,"t":"2022-01-03T08:00:00Z","v":1000000,"vw":174}"#
        );
    }

    #[test]
    fn recorded_bars_are_written_without_what_they_lack() {
        let mut text = Vec::new();
        Candle { vwap: None, trades: None, ..candle(0, 2.5, 1.0) }.write_json(&mut text);
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("\"n\"") && !text.contains("\"vw\""), "{text}");
    }
}
