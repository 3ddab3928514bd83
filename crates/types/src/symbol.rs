use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::text::{excerpt, serde_as_text};

/// The name an instrument trades under: `AAPL`, `BRK.B`, `BTC/USD`.
///
/// Upper case, 1 to 24 characters out of `A-Z`, `0-9`, `.`, `-` and `/`, the first a letter or a digit. Lower case is
/// accepted and raised, as vendors do. A symbol sorts by its bytes, which is the order vendors page in. A clone is
/// cheap.
///
/// ```
/// use barkeep_types::Symbol;
///
/// let symbol: Symbol = "brk.b".parse()?;
/// assert_eq!(symbol.as_str(), "BRK.B");
/// assert!("AAPL,MSFT".parse::<Symbol>().is_err());
/// # Ok::<(), barkeep_types::InvalidSymbol>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

/// A text that cannot be a symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid symbol \"{}\": expected 1 to 24 letters, digits, '.', '-' or '/', starting with a letter or digit",
    excerpt(.0)
)]
pub struct InvalidSymbol(pub String);

impl Symbol {
    /// The most characters a symbol may have.
    pub const MAX_LEN: usize = 24;

    /// The symbol as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = InvalidSymbol;

    fn from_str(text: &str) -> Result<Self, InvalidSymbol> {
        let starts_well = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'/');
        if starts_well && text.len() <= Self::MAX_LEN && text.bytes().all(allowed) {
            Ok(Self(text.to_ascii_uppercase().into()))
        } else {
            Err(InvalidSymbol(text.to_owned()))
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(Symbol);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_shares_and_crypto_pairs_are_symbols() {
        for text in ["A", "AAPL", "BRK.B", "BC.PRC", "BTC/USD", "BRK-B", "3USL"] {
            assert_eq!(text.parse::<Symbol>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_could_alter_a_request_is_no_symbol() {
        for text in
            ["", " ", "AAPL ", "A,B", "A&B", "A\r\nHost: x", "A\0", "=1+1", "../x", "ÄÖ", "A%2C", &"A".repeat(25)]
        {
            assert_eq!(text.parse::<Symbol>(), Err(InvalidSymbol(text.to_owned())));
        }
    }

    #[test]
    fn an_error_escapes_and_shortens_what_it_quotes() {
        let error = format!("A\n{}", "x".repeat(100)).parse::<Symbol>().unwrap_err().to_string();
        assert!(error.contains("A\\n") && !error.contains('\n') && error.contains('…'), "{error}");
    }

    #[test]
    fn symbols_sort_by_bytes() {
        let mut symbols: Vec<Symbol> = ["B", "BA", "B.A", "A"].map(|text| text.parse().unwrap()).to_vec();
        symbols.sort();
        assert_eq!(symbols.iter().map(Symbol::as_str).collect::<Vec<_>>(), ["A", "B", "B.A", "BA"]);
    }
}
