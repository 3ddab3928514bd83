//! Lists of symbols, as people keep them.

use barkeep_types::Symbol;

use crate::faults::{Fault, Faults};

/// The symbols of a text, in its order, each once: separated by white space or commas, with `#` before comments.
///
/// For a file, read it first; for a vendor's assets, join their symbols.
///
/// ```
/// let listed = "
///     ## large technology
///     aapl, MSFT  BRK.B
///     AAPL        # again
/// ";
/// let symbols = barkeep_catalog::universe::symbols(listed)?;
/// assert_eq!(symbols.iter().map(|symbol| symbol.as_str()).collect::<Vec<_>>(), ["AAPL", "MSFT", "BRK.B"]);
/// # Ok::<(), barkeep_catalog::Faults>(())
/// ```
///
/// # Errors
///
/// Every text that is no symbol, not only the first.
pub fn symbols(text: &str) -> Result<Vec<Symbol>, Faults> {
    let mut seen = std::collections::HashSet::new();
    let (mut symbols, mut faults) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let listed = line.split('#').next().unwrap_or_default();
        for word in listed.split(|character: char| character.is_whitespace() || character == ',') {
            match word.parse::<Symbol>() {
                _ if word.is_empty() => {}
                Ok(symbol) => symbols.extend(seen.insert(symbol.clone()).then_some(symbol)),
                Err(error) => faults.push(Fault::Symbol(error)),
            }
        }
    }
    Faults::none_or(faults).map(|()| symbols)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_that_is_no_symbol_is_named() {
        let faults = symbols("AAPL =cmd() MSFT,../x\r\n\"TSLA\"").unwrap_err();
        let named: Vec<_> = faults.reasons().iter().map(ToString::to_string).collect();
        assert_eq!(named.len(), 3, "{named:?}");
        assert!(named[0].contains("=cmd()") && named[1].contains("../x") && named[2].contains("TSLA"), "{named:?}");
    }

    #[test]
    fn nothing_listed_is_no_symbol() {
        assert_eq!(symbols(" # none\n,, \r\n"), Ok(vec![]));
    }
}
