use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

use crate::text::{excerpt, serde_as_text};

/// Which corporate actions prices and volumes were adjusted for.
///
/// [`Adjustment::RAW`] is the truth that never changes. Every other adjustment rewrites the past at each event, so an
/// adjusted series is only good as of the day it was fetched. Adjustments combine: `split,dividend`.
///
/// ```
/// use barkeep_types::Adjustment;
///
/// let both: Adjustment = "split,dividend".parse()?;
/// assert_eq!(both, Adjustment::SPLIT | Adjustment::DIVIDEND);
/// assert_eq!(both.to_string(), "split,dividend");
/// # Ok::<(), barkeep_types::InvalidAdjustment>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Adjustment(u8);

/// A text that names no adjustment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid adjustment \"{}\": expected raw, all, or a list of split, dividend and spin-off",
    excerpt(.0)
)]
pub struct InvalidAdjustment(pub String);

impl Adjustment {
    /// As traded.
    pub const RAW: Self = Self(0);
    /// Price and volume adjusted for splits.
    pub const SPLIT: Self = Self(1);
    /// Price adjusted for cash dividends.
    pub const DIVIDEND: Self = Self(2);
    /// Price adjusted for spin-offs.
    pub const SPIN_OFF: Self = Self(4);
    /// Adjusted for everything.
    pub const ALL: Self = Self(7);

    const PARTS: [(Self, &str); 3] =
        [(Self::SPLIT, "split"), (Self::DIVIDEND, "dividend"), (Self::SPIN_OFF, "spin-off")];

    /// Whether the past of such a series may be rewritten.
    pub fn rewrites_history(self) -> bool {
        self != Self::RAW
    }
}

impl BitOr for Adjustment {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromStr for Adjustment {
    type Err = InvalidAdjustment;

    fn from_str(text: &str) -> Result<Self, InvalidAdjustment> {
        let part =
            |name: &str| Self::PARTS.into_iter().find(|(_, part)| *part == name).map(|(adjustment, _)| adjustment);
        match text {
            "raw" => Ok(Self::RAW),
            "all" => Ok(Self::ALL),
            _ => text
                .split(',')
                .try_fold(Self::RAW, |sum, name| Some(sum | part(name)?))
                .ok_or_else(|| InvalidAdjustment(text.to_owned())),
        }
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RAW => formatter.pad("raw"),
            Self::ALL => formatter.pad("all"),
            _ => {
                let names = Self::PARTS.into_iter().filter(|(part, _)| self.0 & part.0 != 0).map(|(_, name)| name);
                formatter.pad(&names.collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl fmt::Debug for Adjustment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

serde_as_text!(Adjustment);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_reads_its_own_name() {
        for bits in 0..8 {
            let adjustment = Adjustment(bits);
            assert_eq!(adjustment.to_string().parse(), Ok(adjustment));
        }
    }

    #[test]
    fn naming_all_parts_is_all() {
        assert_eq!("spin-off,split,dividend".parse(), Ok(Adjustment::ALL));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "RAW", "split,", "split,raw", "splits", "split&x"] {
            assert_eq!(text.parse::<Adjustment>(), Err(InvalidAdjustment(text.to_owned())), "{text}");
        }
    }
}
