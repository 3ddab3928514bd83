//! How settings change, whatever the database.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::statements::{Session, SettingEntry};
use crate::{Error, Result, Setting, SettingChange, Upserted};

/// Sets a value; the caller ends the transaction, and undoes it where nothing has changed.
pub(crate) async fn set(session: &mut impl Session, name: &str, json: &str, by: &str) -> Result<Upserted> {
    let revision = session.revise().await?;
    let before = session.setting(name).await?;
    if before.as_deref() == Some(json) {
        return Ok(Upserted::Unchanged);
    }
    session.set(name, json, by).await?;
    session.log_setting(&SettingEntry { revision, name, by, before: before.as_deref(), after: Some(json) }).await?;
    Ok(if before.is_some() { Upserted::Updated } else { Upserted::Created })
}

/// Takes a value away; tells whether there was one.
pub(crate) async fn unset(session: &mut impl Session, name: &str, by: &str) -> Result<bool> {
    let revision = session.revise().await?;
    let Some(before) = session.setting(name).await? else { return Ok(false) };
    session.unset(name).await?;
    session.log_setting(&SettingEntry { revision, name, by, before: Some(&before), after: None }).await?;
    Ok(true)
}

pub(crate) fn read(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(Error::corrupt)
}

pub(crate) fn revision(stored: i64) -> Result<u64> {
    stored.try_into().map_err(|_| Error::corrupt(format!("the revision {stored}")))
}

/// A row of the table of settings: name, value, when and by whom.
pub(crate) type SettingRow = (String, String, DateTime<Utc>, String);

pub(crate) fn setting((name, json, set_at, by): SettingRow) -> Result<Setting> {
    Ok(Setting { name, value: read(&json)?, set_at, by })
}

/// A row of the log of settings: revision, when, name, by whom, before, after.
pub(crate) type SettingChangeRow = (i64, DateTime<Utc>, String, String, Option<String>, Option<String>);

pub(crate) fn setting_change((number, at, name, by, before, after): SettingChangeRow) -> Result<SettingChange> {
    Ok(SettingChange {
        revision: revision(number)?,
        at,
        name,
        by,
        before: before.as_deref().map(read).transpose()?,
        after: after.as_deref().map(read).transpose()?,
    })
}

const MOST_BYTES: usize = 65_536;
const DEEPEST: usize = 100;

/// The value as JSON, if it may be set under that name by that author.
pub(crate) fn checked(name: &str, value: &Value, by: &str) -> Result<String> {
    check_author(name, by)?;
    let invalid = |why| Err(Error::InvalidSetting { name: name.to_owned(), why });
    if !nests_within(value, DEEPEST) {
        return invalid("a value nests up to 100 deep");
    }
    let json = value.to_string();
    if json.len() > MOST_BYTES { invalid("a value takes up to 65536 bytes") } else { Ok(json) }
}

pub(crate) fn check_author(name: &str, by: &str) -> Result<()> {
    let invalid = |why| Err(Error::InvalidSetting { name: name.to_owned(), why });
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
        return invalid("a name has 1 to 64 letters, digits, '_', '-' or '.'");
    }
    if !(1..=128).contains(&by.len()) || by.chars().any(char::is_control) {
        return invalid("who sets it is said in 1 to 128 bytes of plain text");
    }
    Ok(())
}

fn nests_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| nests_within(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|member| nests_within(member, depth - 1)),
        _ => true,
    }
}
