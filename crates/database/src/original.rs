//! The file that was opened, told from another one of its name.

use std::fs::{Metadata, metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The file behind a name. What is written to one that was deleted or moved is lost with the last handle to it, and nothing
/// says so.
#[derive(Debug)]
pub(crate) struct Original {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Original {
    /// The file that has this name now; `None` where it cannot be looked at.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        // Whole, since the program may come to work in another folder.
        let path = path.canonicalize().ok()?;
        let identity = identity(&metadata(&path).ok()?);
        Some(Self { path, identity })
    }

    /// Whether the name is still that file's.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn check(&self) -> io::Result<()> {
        match identity(&metadata(&self.path)?) == self.identity {
            true => Ok(()),
            false => Err(io::Error::other("another file has taken its place since it was opened")),
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}
