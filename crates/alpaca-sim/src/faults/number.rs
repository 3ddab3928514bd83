//! Numbers that no bar can have, and texts that are no numbers.

/// A page whose first bar has one impossible number. A page without bars stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberFault {
    /// The close is the word `NaN`, which is no JSON.
    NotANumber,
    /// The high is the word `Infinity`, which is no JSON.
    Infinity,
    /// The high is 1e999, which no double holds.
    Overflow,
    /// The low is 1e-400, which a careless reader takes for zero.
    Underflow,
    /// The close is null.
    Null,
    /// The close is a string.
    Text,
    /// The close is absent.
    Missing,
    /// The time is a number.
    TimeAsNumber,
    /// The low is negative.
    NegativePrice,
    /// The low is zero.
    ZeroPrice,
    /// The high is below the low.
    HighBelowLow,
    /// The open is far above the high.
    OpenOutside,
    /// The close is far above the high.
    CloseOutside,
    /// The volume is negative.
    NegativeVolume,
    /// The volume is 2^64, which fits neither signed nor unsigned integers.
    HugeVolume,
    /// The trade count is 2^64 - 1, which fits no signed integer.
    HugeTradeCount,
}

impl NumberFault {
    /// Which field becomes what.
    fn change(self) -> (&'static str, &'static str) {
        match self {
            Self::NotANumber => ("c", "NaN"),
            Self::Infinity => ("h", "Infinity"),
            Self::Overflow => ("h", "1e999"),
            Self::Underflow => ("l", "1e-400"),
            Self::Null => ("c", "null"),
            Self::Text => ("c", "\"12.5\""),
            Self::Missing => ("c", ""),
            Self::TimeAsNumber => ("t", "1709510400"),
            Self::NegativePrice => ("l", "-1.5"),
            Self::ZeroPrice => ("l", "0"),
            Self::HighBelowLow => ("h", "0.0001"),
            Self::OpenOutside => ("o", "1000000"),
            Self::CloseOutside => ("c", "1000000"),
            Self::NegativeVolume => ("v", "-1"),
            Self::HugeVolume => ("v", "18446744073709551616"),
            Self::HugeTradeCount => ("n", "18446744073709551615"),
        }
    }

    /// Changes the first bar of a page.
    pub(crate) fn apply(self, body: Vec<u8>) -> Vec<u8> {
        let (field, value) = self.change();
        let text = String::from_utf8_lossy(&body).into_owned();
        let name = format!("\"{field}\":");
        let Some(place) = text.find(&name) else { return body };
        let (before, rest) = text.split_at(place);
        let end = rest.find([',', '}']).unwrap_or(rest.len());
        let after = &rest[end..];
        // A field that goes takes its comma along.
        let changed = if value.is_empty() { after.trim_start_matches(',').to_owned() } else { name + value + after };
        (before.to_owned() + &changed).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"bars":{"A":[{"c":2,"h":3,"l":1,"t":"x","v":9},{"c":4,"h":5}]}}"#;

    fn applied(fault: NumberFault) -> String {
        String::from_utf8(fault.apply(PAGE.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn one_number_of_the_first_bar_changes() {
        assert_eq!(applied(NumberFault::NotANumber), PAGE.replace("\"c\":2", "\"c\":NaN"));
        assert_eq!(applied(NumberFault::TimeAsNumber), PAGE.replace("\"t\":\"x\"", "\"t\":1709510400"));
        assert_eq!(applied(NumberFault::NegativeVolume), PAGE.replace("\"v\":9", "\"v\":-1"));
        assert_eq!(applied(NumberFault::Missing), PAGE.replace("\"c\":2,", ""));
    }

    #[test]
    fn a_page_without_bars_stays() {
        let empty = br#"{"bars":{},"next_page_token":null}"#.to_vec();
        assert_eq!(NumberFault::Null.apply(empty.clone()), empty);
    }
}
