use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;

use crate::text::{excerpt, serde_as_text};

/// How much time one bar spans.
///
/// Written `m1 m5 m15 m30 h1 h4 d1 w1 mn1`; read also as vendors and people write it: `15m`, `15Min`, `1Hour`, `1D`,
/// `daily`, `1Month`. Note that `1M` is a month and `1m` a minute, as almost everywhere.
///
/// ```
/// use barkeep_types::Timeframe;
///
/// assert_eq!("15Min".parse(), Ok(Timeframe::M15));
/// assert_eq!(Timeframe::M15.to_string(), "m15");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timeframe {
    /// One minute.
    M1,
    /// Five minutes.
    M5,
    /// Fifteen minutes.
    M15,
    /// Thirty minutes.
    M30,
    /// One hour.
    H1,
    /// Four hours.
    H4,
    /// One trading day.
    D1,
    /// One week, from Monday.
    W1,
    /// One calendar month.
    Mn1,
}

/// A text that names no timeframe barkeep has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid timeframe \"{}\": expected one of m1, m5, m15, m30, h1, h4, d1, w1, mn1", excerpt(.0))]
pub struct InvalidTimeframe(pub String);

impl InvalidTimeframe {
    /// The stable code of this error.
    pub const CODE: &str = "INVALID_TIMEFRAME";
}

impl Timeframe {
    /// Every timeframe, shortest first.
    pub const ALL: [Self; 9] =
        [Self::M1, Self::M5, Self::M15, Self::M30, Self::H1, Self::H4, Self::D1, Self::W1, Self::Mn1];

    /// The name as barkeep writes it: `m15`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::M1 => "m1",
            Self::M5 => "m5",
            Self::M15 => "m15",
            Self::M30 => "m30",
            Self::H1 => "h1",
            Self::H4 => "h4",
            Self::D1 => "d1",
            Self::W1 => "w1",
            Self::Mn1 => "mn1",
        }
    }

    /// The minutes in a bar of a timeframe shorter than a day; `None` for days, weeks and months, whose length
    /// follows the calendar.
    pub const fn minutes(self) -> Option<u32> {
        match self {
            Self::M1 => Some(1),
            Self::M5 => Some(5),
            Self::M15 => Some(15),
            Self::M30 => Some(30),
            Self::H1 => Some(60),
            Self::H4 => Some(240),
            Self::D1 | Self::W1 | Self::Mn1 => None,
        }
    }

    /// The length of a bar of a timeframe shorter than a day.
    pub fn length(self) -> Option<TimeDelta> {
        self.minutes().map(|minutes| TimeDelta::minutes(minutes.into()))
    }
}

impl FromStr for Timeframe {
    type Err = InvalidTimeframe;

    fn from_str(text: &str) -> Result<Self, InvalidTimeframe> {
        parse(text.trim()).ok_or_else(|| InvalidTimeframe(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Timeframe> {
    // The only spelling in which case carries meaning.
    match text {
        "1m" => return Some(Timeframe::M1),
        "1M" => return Some(Timeframe::Mn1),
        _ => {}
    }
    let text = text.to_ascii_lowercase();
    match text.as_str() {
        "daily" => return Some(Timeframe::D1),
        "weekly" => return Some(Timeframe::W1),
        "monthly" => return Some(Timeframe::Mn1),
        _ => {}
    }
    let is_digit = |character: char| character.is_ascii_digit();
    let number = text.trim_matches(|character: char| !is_digit(character));
    let unit = if text.starts_with(is_digit) { text.strip_prefix(number)? } else { text.strip_suffix(number)? };
    match (number, unit) {
        ("1" | "5" | "15" | "30", "m" | "min" | "mins" | "t" | "minute" | "minutes") => Timeframe::ALL
            .into_iter()
            .find(|timeframe| timeframe.minutes().is_some_and(|minutes| minutes.to_string() == number)),
        ("60", "m" | "min" | "minute" | "minutes") | ("1", "h" | "hour") => Some(Timeframe::H1),
        ("240", "m" | "min" | "minute" | "minutes") | ("4", "h" | "hour" | "hours") => Some(Timeframe::H4),
        ("1", "d" | "day") => Some(Timeframe::D1),
        ("1", "w" | "week") => Some(Timeframe::W1),
        ("1", "mn" | "mo" | "month") => Some(Timeframe::Mn1),
        _ => None,
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

serde_as_text!(Timeframe);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timeframe_reads_its_own_name() {
        for timeframe in Timeframe::ALL {
            assert_eq!(timeframe.to_string().parse(), Ok(timeframe));
        }
    }

    #[test]
    fn vendors_spellings_are_read() {
        for (text, timeframe) in [
            ("1Min", Timeframe::M1),
            ("1T", Timeframe::M1),
            ("1m", Timeframe::M1),
            ("5Min", Timeframe::M5),
            ("15m", Timeframe::M15),
            ("15Min", Timeframe::M15),
            ("30min", Timeframe::M30),
            ("60Min", Timeframe::H1),
            ("1Hour", Timeframe::H1),
            ("1H", Timeframe::H1),
            ("4Hour", Timeframe::H4),
            ("1D", Timeframe::D1),
            ("1Day", Timeframe::D1),
            ("daily", Timeframe::D1),
            ("1Week", Timeframe::W1),
            ("1M", Timeframe::Mn1),
            ("1Month", Timeframe::Mn1),
            (" h1 ", Timeframe::H1),
        ] {
            assert_eq!(text.parse(), Ok(timeframe), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "m", "1", "2h", "m2", "0m", "01m", "1 m", "h1h", "1h1", "15", "bogus", "m15 m15", "-1m", "٣m"]
        {
            assert_eq!(text.parse::<Timeframe>(), Err(InvalidTimeframe(text.to_owned())), "{text}");
        }
    }
}
