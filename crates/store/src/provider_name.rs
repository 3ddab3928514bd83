use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Whose bars a store holds: `alpaca`.
///
/// Two providers disagree about the same symbol and feed, so their bars are never mixed. 1 to 32 lower-case letters,
/// digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderName(Cow<'static, str>);

/// A text that cannot name a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid provider name {0:?}: expected 1 to 32 lower-case letters, digits or '-'")]
pub struct InvalidProviderName(pub String);

impl ProviderName {
    /// Alpaca's market data.
    pub const ALPACA: Self = Self(Cow::Borrowed("alpaca"));

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderName {
    type Err = InvalidProviderName;

    fn from_str(text: &str) -> Result<Self, InvalidProviderName> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(InvalidProviderName(text.to_owned()))
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert_eq!("alpaca".parse(), Ok(ProviderName::ALPACA));
        for text in ["", "Alpaca", "a b", "a'b", &"a".repeat(33)] {
            assert_eq!(text.parse::<ProviderName>(), Err(InvalidProviderName(text.to_owned())));
        }
    }
}
