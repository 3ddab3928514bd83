//! Definitions as the JSON that is stored.

use chrono::{DateTime, Utc};

use crate::change::Change;
use crate::{Definition, Error, Result};

pub(crate) fn written(definition: &Definition) -> Result<String> {
    serde_json::to_string(definition).map_err(Error::corrupt)
}

pub(crate) fn read(json: &str) -> Result<Definition> {
    serde_json::from_str(json).map_err(Error::corrupt)
}

/// A row of the change log: when, name, kind, before, after.
pub(crate) type ChangeRow = (DateTime<Utc>, String, String, Option<String>, Option<String>);

pub(crate) fn change((at, name, kind, before, after): ChangeRow) -> Result<Change> {
    Ok(Change {
        at,
        name,
        kind: kind.parse().map_err(Error::corrupt)?,
        before: before.as_deref().map(read).transpose()?,
        after: after.as_deref().map(read).transpose()?,
    })
}
