//! An object store as the place of an export.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::destination::Place;
use crate::{Error, Result};

pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix }
    }

    fn path(&self, path: &str) -> Result<Path> {
        // Parsed, since `Path::from` would encode the percent signs once more.
        let whole = if self.prefix.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        Path::parse(whole).map_err(|error| Error::InvalidDestination { why: error.to_string() })
    }
}

/// Without what an implementation shows of itself, which is not known to be free of secrets.
impl fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Objects").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl Place for Objects {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let found = match self.store.get(&self.path(path)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(path, error)),
        };
        Ok(Some(found.bytes().await.map_err(|error| failed(path, error))?.to_vec()))
    }

    async fn size(&self, path: &str) -> Result<Option<u64>> {
        match self.store.head(&self.path(path)?).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(path, error)),
        }
    }

    async fn write(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let payload = PutPayload::from(bytes);
        self.store.put(&self.path(path)?, payload).await.map_err(|error| failed(path, error))?;
        Ok(())
    }
}

fn failed(path: &str, error: object_store::Error) -> Error {
    Error::ObjectStore { path: path.to_owned(), source: error.into() }
}
