mod rejections;
mod settings;

use async_trait::async_trait;

use crate::json;
use crate::statements::{DefinitionStatements as _, Session, Statements};
use crate::write;
use crate::{Catalog, Change, ChangeKind, Definition, Narrowing, Pattern, Result, Upserted};

/// Definitions in a database: [`PostgresCatalog`](crate::PostgresCatalog) or [`SqliteCatalog`](crate::SqliteCatalog). A clone
/// is a handle to the same catalog.
///
/// Everything but the SQL is here, so that the two cannot come to differ.
#[derive(Clone, Debug)]
pub struct DatabaseCatalog<D> {
    pub(crate) database: D,
}

impl<D: Statements> DatabaseCatalog<D> {
    pub(crate) fn new(database: D) -> Self {
        Self { database }
    }

    async fn switch(&self, names: &Pattern, kind: ChangeKind) -> Result<Vec<String>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let switched = write::switch(&mut session, names, kind).await;
                end(session, switched, |switched| !switched.is_empty()).await
            })
            .await
    }
}

#[async_trait]
impl<D: Statements> Catalog for DatabaseCatalog<D> {
    async fn upsert(&self, definition: &Definition, narrowing: Narrowing) -> Result<Upserted> {
        definition.check()?;
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let upserted = write::upsert(&mut session, definition, narrowing).await;
                end(session, upserted, |upserted| *upserted != Upserted::Unchanged).await
            })
            .await
    }

    async fn get(&self, name: &str) -> Result<Option<Definition>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let json = session.get(name).await?;
                session.finish().await?;
                json.as_deref().map(json::read).transpose()
            })
            .await
    }

    async fn list(&self) -> Result<Vec<Definition>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let definitions = write::list(&mut session).await?;
                session.finish().await?;
                Ok(definitions)
            })
            .await
    }

    async fn enable(&self, names: &Pattern) -> Result<Vec<String>> {
        self.switch(names, ChangeKind::Enabled).await
    }

    async fn disable(&self, names: &Pattern) -> Result<Vec<String>> {
        self.switch(names, ChangeKind::Disabled).await
    }

    async fn remove(&self, names: &Pattern) -> Result<Vec<String>> {
        self.database
            .bounded(|| async {
                let mut session = self.database.begin().await?;
                let removed = write::remove(&mut session, names).await;
                end(session, removed, |removed| !removed.is_empty()).await
            })
            .await
    }

    async fn changes(&self, limit: usize) -> Result<Vec<Change>> {
        let rows = self
            .database
            .bounded(|| async {
                let mut session = self.database.look().await?;
                let rows = session.changes(most(limit)).await?;
                session.finish().await?;
                Ok(rows)
            })
            .await?;
        rows.into_iter().map(json::change).collect()
    }
}

/// Ends a session: keeps what was done, if it came to anything.
async fn end<T>(session: impl Session, done: Result<T>, has_changed: impl FnOnce(&T) -> bool) -> Result<T> {
    match done {
        Ok(done) if has_changed(&done) => {
            session.finish().await?;
            Ok(done)
        }
        done => {
            session.undo().await?;
            done
        }
    }
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
