//! Page tokens: where a page ended, as the vendor writes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::span::Source;

/// The last source bar that a page consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) symbol: String,
    pub(crate) source: Source,
    pub(crate) start: i64,
}

/// What the vendor counts down from when the latest bars come first.
const DESCENDING_EPOCH: i64 = 9_223_372_036;
const NANOS: i64 = 1_000_000_000;

impl Token {
    /// Padded base64 of `SYMBOL|M|unix-nanoseconds`.
    pub(crate) fn encode(&self, descending: bool) -> String {
        let unit = match self.source {
            Source::Minutes => 'M',
            Source::Days => 'D',
        };
        let seconds = if descending { DESCENDING_EPOCH - self.start } else { self.start };
        STANDARD.encode(format!("{}|{unit}|{}", self.symbol, seconds.saturating_mul(NANOS)))
    }

    pub(crate) fn decode(text: &str, descending: bool) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        let payload = std::str::from_utf8(&bytes).ok()?;
        let mut parts = payload.split('|');
        let (symbol, unit, position) = (parts.next()?, parts.next()?, parts.next()?);
        let source = match unit {
            "M" => Source::Minutes,
            "D" => Source::Days,
            _ => return None,
        };
        let seconds = position.parse::<i64>().ok()?.div_euclid(NANOS);
        let start = if descending { DESCENDING_EPOCH - seconds } else { seconds };
        parts.next().is_none().then(|| Self { symbol: symbol.to_owned(), source, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_written_as_the_vendor_writes_them() {
        let token = Token { symbol: "TSLA".to_owned(), source: Source::Days, start: 1_695_614_400 };
        let payload = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        assert_eq!(payload(&token.encode(false)), "TSLA|D|1695614400000000000");
        assert_eq!(payload(&token.encode(true)), "TSLA|D|7527757636000000000");
        assert_eq!(Token::decode(&token.encode(true), true), Some(token));
    }

    #[test]
    fn anything_else_is_refused() {
        for payload in ["", "AAPL", "AAPL|M", "AAPL|X|1", "AAPL|M|x", "AAPL|M|1|2"] {
            assert_eq!(Token::decode(&STANDARD.encode(payload), false), None, "{payload}");
        }
        assert_eq!(Token::decode("not base64", false), None);
    }
}
