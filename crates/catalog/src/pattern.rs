use std::fmt;
use std::str::FromStr;

/// Which names are meant: `tech20`, `US_BATCH_*`, `*`. A `*` stands for any characters, or none.
///
/// ```
/// use barkeep_catalog::Pattern;
///
/// let batches: Pattern = "US_BATCH_*".parse()?;
/// assert!(batches.matches("US_BATCH_7"));
/// assert!(!batches.matches("tech20"));
/// # Ok::<(), barkeep_catalog::InvalidPattern>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// A text that cannot match any name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid pattern {0:?}: expected a name in which '*' may stand for any characters")]
pub struct InvalidPattern(pub String);

impl Pattern {
    /// Whether `name` is meant.
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        // The first fit of each piece leaves the most for the next, so no other choice need be tried.
        for piece in pieces {
            let Some(found) = rest.find(piece) else { return false };
            rest = &rest[found + piece.len()..];
        }
        rest.ends_with(last)
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'*');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPattern(text.to_owned()))
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        let matches = |pattern: &str, name: &str| pattern.parse::<Pattern>().unwrap().matches(name);
        for (pattern, name) in [
            ("tech20", "tech20"),
            ("*", "anything"),
            ("US_BATCH_*", "US_BATCH_"),
            ("*_h1", "US_h1_h1"),
            ("a*b*c", "a-b-b-c"),
            ("a**c", "abc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("tech", "tech20"),
            ("20", "tech20"),
            ("US_BATCH_*", "XUS_BATCH_1"),
            ("ab*ba", "aba"),
            ("a*b*c", "a-c-b"),
            ("A*", "abc"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_no_name_can_hold_is_refused() {
        for text in ["", "a b", "%", "'; DROP TABLE x", "é", &"a".repeat(65)] {
            assert_eq!(text.parse::<Pattern>(), Err(InvalidPattern(text.to_owned())));
        }
    }
}
