//! How numbers are stored: one choice for all files of an export.
//!
//! Files of one export must agree: DuckDB casts every file to the types of the first one it meets, and silently rounds
//! 1.2345 to 1.23 if that one had two decimals; Polars and pyarrow refuse to read them together.

use std::fmt;
use std::str::FromStr;

use arrow_schema::DataType;
use barkeep_types::Bar;
use serde::{Deserialize, Serialize};

/// The types of an export's columns: as narrow as its bars allow, so that files are small and nothing is rounded.
///
/// The later of two in their order holds all that the earlier one does. `trade_count` is always a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Open, high, low and close.
    pub prices: Number,
    /// The volume-weighted average price.
    pub vwap: Number,
    /// The volume.
    pub volume: Number,
}

/// How the numbers of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Number {
    /// Exactly, with so many decimals, up to nine: `DECIMAL(18, n)`; with none a 64-bit integer.
    Fixed(u8),
    /// As they are: a 64-bit float.
    Float,
}

/// A text that names no type of numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid type of numbers {0:?}: expected int64, double, or decimal(18,1) to decimal(18,9)")]
pub struct InvalidNumber(pub String);

const MOST_DECIMALS: u8 = 9;
/// Beyond, a multiple of a power of ten need not be told apart from its neighbours.
const LIMIT: f64 = 2_251_799_813_685_248.0; // 2^51

impl Format {
    /// Cents and whole volumes: what to start with.
    pub const NARROWEST: Self = Self { prices: Number::Fixed(2), vwap: Number::Fixed(2), volume: Number::Fixed(0) };

    /// Floats throughout: larger files, that pandas and NumPy read without a cast.
    pub const FLOATS: Self = Self { prices: Number::Float, vwap: Number::Float, volume: Number::Float };

    /// A format that holds what both do.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            prices: self.prices.max(other.prices),
            vwap: self.vwap.max(other.vwap),
            volume: self.volume.max(other.volume),
        }
    }

    /// The narrowest format that holds what this one does, and these bars too.
    #[must_use]
    pub fn with(self, bars: &[Bar]) -> Self {
        let prices = || bars.iter().flat_map(|bar| [bar.open, bar.high, bar.low, bar.close]);
        Self {
            prices: self.prices.with(prices),
            vwap: self.vwap.with(|| bars.iter().filter_map(|bar| bar.vwap)),
            volume: self.volume.with(|| bars.iter().map(|bar| bar.volume)),
        }
    }
}

impl Number {
    fn with<I: Iterator<Item = f64>>(self, values: impl Fn() -> I) -> Self {
        match self {
            Self::Float => Self::Float,
            Self::Fixed(least) => (least..=MOST_DECIMALS)
                .find(|&decimals| values().all(|value| scaled(value, power(decimals)).1))
                .map_or(Self::Float, Self::Fixed),
        }
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Fixed(0) => DataType::Int64,
            Self::Fixed(decimals) => DataType::Decimal64(18, decimals.cast_signed()),
            Self::Float => DataType::Float64,
        }
    }
}

/// A thousand for three decimals.
pub(crate) fn power(decimals: u8) -> f64 {
    10_f64.powi(decimals.into())
}

/// The whole number which, divided by `power`, is this very float, and whether there is one.
///
/// So whoever divides gets back the float that was stored, and whoever reads decimals gets the one that it stands for.
/// Written without branches and calls, since all numbers of an export pass through here.
pub(crate) fn scaled(value: f64, power: f64) -> (i64, bool) {
    // So large that the last bit of a float is one: adding it rounds to a whole number, and its bits count up with that.
    const SHIFT: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    let shifted = value * power + SHIFT;
    let whole = shifted - SHIFT;
    #[expect(clippy::float_cmp, reason = "the very same float is what is asked for")]
    let is_exact = (whole / power == value) & (whole.abs() < LIMIT);
    (shifted.to_bits().wrapping_sub(SHIFT.to_bits()).cast_signed(), is_exact)
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(0) => formatter.write_str("int64"),
            Self::Fixed(decimals) => write!(formatter, "decimal(18,{decimals})"),
            Self::Float => formatter.write_str("double"),
        }
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        (0..=MOST_DECIMALS)
            .map(Self::Fixed)
            .chain([Self::Float])
            .find(|number| number.to_string() == text)
            .ok_or_else(|| InvalidNumber(text.to_owned()))
    }
}

impl TryFrom<String> for Number {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimals(value: f64) -> Number {
        Number::Fixed(0).with(|| [value].into_iter())
    }

    #[test]
    fn a_number_takes_as_many_decimals_as_it_has() {
        for (value, wanted) in
            [(0.0, 0), (187.0, 0), (187.5, 1), (187.23, 2), (0.0001, 4), (33_012.123_456, 6), (1e-9, 9)]
        {
            assert_eq!(decimals(value), Number::Fixed(wanted), "{value}");
        }
    }

    #[test]
    fn what_no_decimal_holds_stays_a_float() {
        for value in [0.1 + 0.2, 1.0 / 3.0, 1e-10, 1e300, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::NAN] {
            assert_eq!(decimals(value), Number::Float, "{value}");
        }
    }

    #[test]
    fn names_of_types_are_read_back() {
        for number in (0..=9).map(Number::Fixed).chain([Number::Float]) {
            assert_eq!(number.to_string().parse(), Ok(number));
        }
        for text in ["", "decimal(18,0)", "decimal(18,10)", "decimal(9,2)", "float"] {
            assert_eq!(text.parse::<Number>(), Err(InvalidNumber(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn a_decimal_is_scaled_to_its_digits(digits in 0_i64..2_000_000_000_000_000, decimals in 0_u8..=9) {
            let value: f64 = format!("{digits}e-{decimals}").parse().unwrap();
            prop_assert_eq!(scaled(value, power(decimals)), (digits, true));
        }

        #[test]
        fn what_is_scaled_is_the_float_that_its_decimal_stands_for(bits in any::<u64>(), decimals in 0_u8..=9) {
            let value = f64::from_bits(bits);
            if let (whole, true) = scaled(value, power(decimals)) {
                let read: f64 = format!("{whole}e-{decimals}").parse().unwrap();
                prop_assert_eq!(read.to_bits(), (value + 0.0).to_bits());
            }
        }
    }
}
