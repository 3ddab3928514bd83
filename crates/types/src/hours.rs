use std::fmt;
use std::str::FromStr;

use crate::text::{excerpt, serde_as_text};

/// Which part of a trading day is kept filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Hours {
    /// From the open to the close (NYSE: 09:30 to 16:00 New York).
    #[default]
    Regular,
    /// With pre-market and after-hours trading (NYSE: 04:00 to 20:00 New York).
    Extended,
    /// Around the clock, every day: markets that never close.
    Always,
}

/// A text that names no trading hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid hours \"{}\": expected regular, extended or always", excerpt(.0))]
pub struct InvalidHours(pub String);

impl Hours {
    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Extended => "extended",
            Self::Always => "always",
        }
    }
}

impl FromStr for Hours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        [Self::Regular, Self::Extended, Self::Always]
            .into_iter()
            .find(|hours| hours.as_str() == text)
            .ok_or_else(|| InvalidHours(text.to_owned()))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

serde_as_text!(Hours);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_read_their_own_name_and_nothing_else() {
        for hours in [Hours::Regular, Hours::Extended, Hours::Always] {
            assert_eq!(hours.to_string().parse(), Ok(hours));
        }
        assert_eq!("rth".parse::<Hours>(), Err(InvalidHours("rth".to_owned())));
    }
}
