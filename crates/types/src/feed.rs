use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::text::{excerpt, serde_as_text};

/// The market-data source a vendor built its bars from: `sip`, `iex`, `otc`, `us`.
///
/// Bars of one symbol differ by feed (IEX sees a few per cent of the volume), so the feed is part of a series' name.
/// Vendors are an open set, and so are feeds: any 1 to 16 lower-case letters, digits and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed(Cow<'static, str>);

/// A text that cannot name a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid feed \"{}\": expected 1 to 16 lower-case letters, digits or '-', like \"sip\" or \"iex\"", excerpt(.0))]
pub struct InvalidFeed(pub String);

impl Feed {
    /// The consolidated tape of all US exchanges.
    pub const SIP: Self = Self(Cow::Borrowed("sip"));
    /// The Investors Exchange alone.
    pub const IEX: Self = Self(Cow::Borrowed("iex"));

    /// The feed as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Feed {
    type Err = InvalidFeed;

    fn from_str(text: &str) -> Result<Self, InvalidFeed> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match text {
            "sip" => Ok(Self::SIP),
            "iex" => Ok(Self::IEX),
            _ if (1..=16).contains(&text.len()) && text.bytes().all(allowed) => Ok(Self(Cow::Owned(text.to_owned()))),
            _ => Err(InvalidFeed(text.to_owned())),
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(Feed);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_feeds_are_read() {
        assert_eq!("sip".parse(), Ok(Feed::SIP));
        assert_eq!("us-1".parse::<Feed>().unwrap().as_str(), "us-1");
    }

    #[test]
    fn what_could_alter_a_request_is_no_feed() {
        for text in ["", "SIP", "a b", "a&b", "ü", "12345678901234567"] {
            assert_eq!(text.parse::<Feed>(), Err(InvalidFeed(text.to_owned())));
        }
    }
}
