//! How definitions change, whatever the database.

use async_trait::async_trait;

use crate::change::{ChangeKind, Upserted};
use crate::{Definition, Error, Narrowing, Pattern, Result};

/// The tables inside one transaction.
#[async_trait]
pub(crate) trait Tables: Send {
    /// Begins a change: from here on no other writer is at it. Returns the change's number.
    async fn revise(&mut self) -> Result<i64>;

    /// The definition of that name.
    async fn get(&mut self, name: &str) -> Result<Option<Definition>>;

    /// Every definition, sorted by name.
    async fn list(&mut self) -> Result<Vec<Definition>>;

    /// Puts a definition in place of the one of that name.
    async fn put(&mut self, definition: &Definition) -> Result<()>;

    /// Takes a definition away.
    async fn delete(&mut self, name: &str) -> Result<()>;

    /// Notes what a change did to one definition.
    async fn log(&mut self, entry: Entry<'_>) -> Result<()>;
}

/// An entry of the change log on its way in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) revision: i64,
    pub(crate) kind: ChangeKind,
    pub(crate) name: &'a str,
    pub(crate) before: Option<&'a Definition>,
    pub(crate) after: Option<&'a Definition>,
}

/// Stores a definition; the caller ends the transaction, and undoes it where nothing has changed.
pub(crate) async fn upsert(
    tables: &mut impl Tables,
    definition: &Definition,
    narrowing: Narrowing,
) -> Result<Upserted> {
    let revision = tables.revise().await?;
    let before = tables.get(&definition.name).await?;
    let (upserted, kind) = match &before {
        Some(before) if before == definition => return Ok(Upserted::Unchanged),
        Some(before) if narrowing == Narrowing::Refuse && definition.window.is_narrower_than(&before.window) => {
            let (name, stored, asked) = (definition.name.clone(), before.window, definition.window);
            return Err(Error::WouldNarrow { name, stored, asked });
        }
        Some(_) => (Upserted::Updated, ChangeKind::Updated),
        None => (Upserted::Created, ChangeKind::Created),
    };
    tables.put(definition).await?;
    let (name, before, after) = (definition.name.as_str(), before.as_ref(), Some(definition));
    tables.log(Entry { revision, kind, name, before, after }).await?;
    Ok(upserted)
}

/// Enables or disables; returns the names of those that changed.
pub(crate) async fn switch(tables: &mut impl Tables, names: &Pattern, kind: ChangeKind) -> Result<Vec<String>> {
    let enabled = kind == ChangeKind::Enabled;
    let revision = tables.revise().await?;
    let mut switched = Vec::new();
    for before in matching(tables, names).await?.into_iter().filter(|before| before.enabled != enabled) {
        let after = Definition { enabled, ..before.clone() };
        tables.put(&after).await?;
        let entry = Entry { revision, kind, name: &after.name, before: Some(&before), after: Some(&after) };
        tables.log(entry).await?;
        switched.push(before.name);
    }
    Ok(switched)
}

/// Removes; returns the names.
pub(crate) async fn remove(tables: &mut impl Tables, names: &Pattern) -> Result<Vec<String>> {
    let revision = tables.revise().await?;
    let mut removed = Vec::new();
    for before in matching(tables, names).await? {
        tables.delete(&before.name).await?;
        let kind = ChangeKind::Removed;
        tables.log(Entry { revision, kind, name: &before.name, before: Some(&before), after: None }).await?;
        removed.push(before.name);
    }
    Ok(removed)
}

async fn matching(tables: &mut impl Tables, names: &Pattern) -> Result<Vec<Definition>> {
    let mut definitions = tables.list().await?;
    definitions.retain(|definition| names.matches(&definition.name));
    Ok(definitions)
}
