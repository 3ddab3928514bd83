//! Definitions as the JSON that is stored.

use crate::change::Change;
use crate::{Definition, Error, Result};

pub(crate) fn written(definition: &Definition) -> Result<String> {
    serde_json::to_string(definition).map_err(Error::corrupt)
}

pub(crate) fn read(json: &str) -> Result<Definition> {
    serde_json::from_str(json).map_err(Error::corrupt)
}

/// A row of the change log.
#[derive(Debug)]
pub struct ChangeRow {
    pub(crate) at: chrono::DateTime<chrono::Utc>,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl ChangeRow {
    pub(crate) fn change(self) -> Result<Change> {
        Ok(Change {
            at: self.at,
            name: self.name,
            kind: self.kind.parse().map_err(Error::corrupt)?,
            before: self.before.as_deref().map(read).transpose()?,
            after: self.after.as_deref().map(read).transpose()?,
        })
    }
}
