use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::Result;
use crate::folder::Folder;

/// Where an export goes: a folder of this machine, or, with the features of the same names, an object store.
#[derive(Clone, Debug)]
pub struct Destination {
    pub(crate) place: Arc<dyn Place>,
}

/// A place for files. Paths are relative, and separated by `/`.
#[async_trait]
pub(crate) trait Place: Debug + Send + Sync {
    /// A file's bytes; `None` if it is not there.
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;

    /// A file's length; `None` if it is not there.
    async fn size(&self, path: &str) -> Result<Option<u64>>;

    /// Puts a file in place of the one of that name: readers see the one or the other, whole.
    async fn write(&self, path: &str, bytes: Vec<u8>) -> Result<()>;
}

impl Destination {
    /// A folder, which is made if it is not there.
    ///
    /// Files are written beside their place under a name that nobody has, synced, and renamed. Nothing below the folder
    /// may be a symbolic link: none is followed, so that whoever can write into the folder cannot have other files
    /// overwritten. Against somebody who swaps folders for links at the very moment of a write, only the folder's
    /// permissions help.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { place: Arc::new(Folder::new(path.into())) }
    }

    /// An object store that you have made, below `prefix`. Objects are put whole.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidDestination`](crate::Error::InvalidDestination) if `prefix` is no path of an object.
    #[cfg(feature = "object-store")]
    pub fn object_store(store: Arc<dyn object_store::ObjectStore>, prefix: &str) -> Result<Self> {
        let prefix = object_store::path::Path::parse(prefix)
            .map_err(|error| crate::Error::InvalidDestination { why: error.to_string() })?;
        Ok(Self { place: Arc::new(crate::objects::Objects::new(store, prefix)) })
    }

    /// A URL such as `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`, with the options that
    /// `object_store` knows by name, such as `aws_access_key_id`, `aws_region` or `azure_storage_account_name`.
    ///
    /// No environment variable is read.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidDestination`](crate::Error::InvalidDestination): no such URL or option, or its feature is not
    /// compiled in. Whether the place can be reached is not known before the first run.
    #[cfg(feature = "cloud")]
    pub fn url<K: AsRef<str>, V: Into<String>>(url: &str, options: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        let invalid = |why: String| crate::Error::InvalidDestination { why };
        // Not the URL itself, which may hold a secret.
        let url: url::Url = url.parse().map_err(|error: url::ParseError| invalid(error.to_string()))?;
        if !matches!(url.scheme(), "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" | "https") {
            return Err(invalid(format!("no object store is known by {}://", url.scheme())));
        }
        // One provider for the whole process; whoever came first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (store, prefix) =
            object_store::parse_url_opts(&url, options).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { place: Arc::new(crate::objects::Objects::new(store.into(), prefix)) })
    }
}
