//! The rules that bad input breaks, told before anything reaches the database.
//!
//! `what` names the part of the input that breaks one; it is put together only then, as most input breaks none.

use std::fmt::Display;
use std::time::Duration;

use serde_json::Value;

use crate::{Error, Result, Scope};

/// The most bytes a payload or a result may have as JSON text: 1 MiB.
pub const MAX_JSON_BYTES: usize = 1 << 20;
/// The most jobs one claim may lease.
pub(crate) const MAX_CLAIM: u16 = 10_000;
const MAX_ATTEMPTS: u16 = 1_000;
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// A text of 1 to `longest` bytes without a NUL, which PostgreSQL cannot store.
pub(crate) fn text(what: impl Display, text: &str, longest: usize) -> Result<()> {
    rule(&what, !text.is_empty(), "is empty")?;
    rule(&what, text.len() <= longest, "is too long")?;
    rule(what, !text.contains('\0'), "holds a NUL")
}

pub(crate) fn kind(what: impl Display, kind: &str) -> Result<()> {
    text(what, kind, 64)
}

pub(crate) fn group(what: impl Display, group: &str) -> Result<()> {
    text(what, group, 128)
}

pub(crate) fn attempts(what: impl Display, attempts: u16) -> Result<()> {
    rule(what, (1..=MAX_ATTEMPTS).contains(&attempts), "is not between 1 and 1,000")
}

pub(crate) fn priority(what: impl Display, priority: i16) -> Result<()> {
    rule(what, priority > i16::MIN, "is below -32,767")
}

/// Kind and group of a cap as they are stored: what is not meant is empty.
pub(crate) fn scope(scope: &Scope) -> Result<(&str, &str)> {
    match scope {
        Scope::All => Ok(("", "")),
        Scope::Kind(name) => kind("kind", name).map(|()| (name.as_str(), "")),
        Scope::Group(name) => group("group", name).map(|()| ("", name.as_str())),
    }
}

pub(crate) fn cap(limit: Option<u32>) -> Result<Option<i32>> {
    let stored = limit.map(i32::try_from).transpose();
    stored.map_err(|_| Error::Invalid { what: "limit".to_owned(), why: "is above 2,147,483,647" })
}

/// What a worker tells of itself; what it does not tell is empty.
pub(crate) fn told(what: impl Display, told: &str, longest: usize) -> Result<()> {
    if told.is_empty() { Ok(()) } else { text(what, told, longest) }
}

/// The microseconds of a wait, of any length up to ten years.
pub(crate) fn wait(what: impl Display, wait: Duration) -> Result<i64> {
    rule(what, wait <= LONGEST, "is longer than ten years")?;
    Ok(i64::try_from(wait.as_micros()).expect("ten years in microseconds fit"))
}

/// The microseconds of a lease, which has some length.
pub(crate) fn lease(what: impl Display, lease: Duration) -> Result<i64> {
    rule(&what, lease >= Duration::from_micros(1), "has no length")?;
    wait(what, lease)
}

/// A value as the JSON text that is stored.
pub(crate) fn json(what: impl Display, value: &Value) -> Result<String> {
    rule(&what, !holds_nul(value), "holds a NUL")?;
    let text = serde_json::to_string(value).expect("a value is JSON");
    rule(what, text.len() <= MAX_JSON_BYTES, "is larger than 1 MiB")?;
    Ok(text)
}

/// A message made fit to be stored: reporting a failure must not fail.
pub(crate) fn message(message: &str) -> String {
    const LONGEST: usize = 2_000;
    let end = message.floor_char_boundary(LONGEST.min(message.len()));
    message[..end].replace('\0', "\u{fffd}")
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
    }
}

pub(crate) fn rule(what: impl Display, kept: bool, why: &'static str) -> Result<()> {
    if kept { Ok(()) } else { Err(Error::Invalid { what: what.to_string(), why }) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_is_found_wherever_it_hides() {
        for hidden in [json!("a\0"), json!([1, ["\0"]]), json!({"a": {"b\0": 1}})] {
            assert_eq!(json("payload", &hidden).unwrap_err().to_string(), "payload holds a NUL");
        }
        assert!(json("payload", &json!("\\u0000")).is_ok());
    }

    #[test]
    fn messages_are_cut_between_characters() {
        let long = "é".repeat(2_000);
        assert_eq!(message(&long).len(), 2_000);
        assert_eq!(message(&format!("a{long}")).len(), 1_999);
        assert_eq!(message("a\0b"), "a\u{fffd}b");
    }
}
