//! How definitions change, whatever the database.

use crate::change::{ChangeKind, Upserted};
use crate::json;
use crate::statements::{DefinitionRow, EntryRow, Session};
use crate::{Definition, Error, Narrowing, Pattern, Result};

/// An entry of the change log on its way in.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    revision: i64,
    kind: ChangeKind,
    name: &'a str,
    before: Option<&'a Definition>,
    after: Option<&'a Definition>,
}

/// Stores a definition; the caller ends the transaction, and undoes it where nothing has changed.
pub(crate) async fn upsert(
    session: &mut impl Session,
    definition: &Definition,
    narrowing: Narrowing,
) -> Result<Upserted> {
    let revision = session.revise().await?;
    let before = get(session, &definition.name).await?;
    let (upserted, kind) = match &before {
        Some(before) if before == definition => return Ok(Upserted::Unchanged),
        Some(before) if narrowing == Narrowing::Refuse && definition.window.is_narrower_than(&before.window) => {
            let (name, stored, asked) = (definition.name.clone(), before.window, definition.window);
            return Err(Error::WouldNarrow { name, stored, asked });
        }
        Some(_) => (Upserted::Updated, ChangeKind::Updated),
        None => (Upserted::Created, ChangeKind::Created),
    };
    put(session, definition).await?;
    let (name, before, after) = (definition.name.as_str(), before.as_ref(), Some(definition));
    log(session, Entry { revision, kind, name, before, after }).await?;
    Ok(upserted)
}

/// Enables or disables; returns the names of those that changed.
pub(crate) async fn switch(session: &mut impl Session, names: &Pattern, kind: ChangeKind) -> Result<Vec<String>> {
    let enabled = kind == ChangeKind::Enabled;
    let revision = session.revise().await?;
    let mut switched = Vec::new();
    for before in matching(session, names).await?.into_iter().filter(|before| before.enabled != enabled) {
        let after = Definition { enabled, ..before.clone() };
        put(session, &after).await?;
        let entry = Entry { revision, kind, name: &after.name, before: Some(&before), after: Some(&after) };
        log(session, entry).await?;
        switched.push(before.name);
    }
    Ok(switched)
}

/// Removes; returns the names.
pub(crate) async fn remove(session: &mut impl Session, names: &Pattern) -> Result<Vec<String>> {
    let revision = session.revise().await?;
    let mut removed = Vec::new();
    for before in matching(session, names).await? {
        session.delete(&before.name).await?;
        let kind = ChangeKind::Removed;
        log(session, Entry { revision, kind, name: &before.name, before: Some(&before), after: None }).await?;
        removed.push(before.name);
    }
    Ok(removed)
}

async fn matching(session: &mut impl Session, names: &Pattern) -> Result<Vec<Definition>> {
    let mut definitions = list(session).await?;
    definitions.retain(|definition| names.matches(&definition.name));
    Ok(definitions)
}

/// Every definition, sorted by name: by its bytes, whatever the database takes for an order.
pub(crate) async fn list(session: &mut impl Session) -> Result<Vec<Definition>> {
    let stored = session.list().await?;
    let mut definitions = stored.iter().map(|json| json::read(json)).collect::<Result<Vec<_>>>()?;
    definitions.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(definitions)
}

async fn get(session: &mut impl Session, name: &str) -> Result<Option<Definition>> {
    session.get(name).await?.as_deref().map(json::read).transpose()
}

async fn put(session: &mut impl Session, definition: &Definition) -> Result<()> {
    let Definition { name, enabled, priority, .. } = definition;
    let json = json::written(definition)?;
    session.put(&DefinitionRow { name, enabled: *enabled, priority: *priority, json }).await
}

async fn log(session: &mut impl Session, entry: Entry<'_>) -> Result<()> {
    let (before, after) = (entry.before.map(json::written).transpose()?, entry.after.map(json::written).transpose()?);
    let (revision, name, kind) = (entry.revision, entry.name, entry.kind.as_str());
    session.log(&EntryRow { revision, name, kind, before, after }).await
}
