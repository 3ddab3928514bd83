//! A folder of this machine as the place of an export.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::destination::Place;
use crate::{Error, Result};

#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// Longer files are none of ours.
const MOST_BYTES: u64 = 1 << 30;

impl Folder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The file's length, if it is there; an error if it is not an ordinary one.
    fn found(&self, path: &str) -> Result<Option<u64>> {
        let Some(parent) = self.parent(path, |_| Ok(false))? else { return Ok(None) };
        match fs::symlink_metadata(parent.join(file_name(path))) {
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(unsafe_path(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(path, error)),
        }
    }

    /// The folder of a file, every step of which is a true folder. `make` may make one that is not there, and tells
    /// whether it has.
    fn parent(&self, path: &str, make: impl Fn(&Path) -> io::Result<bool>) -> Result<Option<PathBuf>> {
        let mut folder = self.root.clone();
        let steps: Vec<&str> = path.split('/').collect();
        for step in &steps[..steps.len() - 1] {
            if matches!(*step, "" | "." | "..") {
                return Err(unsafe_path(path));
            }
            folder.push(step);
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(unsafe_path(path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if !make(&folder).map_err(|error| Error::io(path, error))? {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(Error::io(path, error)),
            }
        }
        Ok(Some(folder))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let failed = |error| Error::io(path, error);
        fs::create_dir_all(&self.root).map_err(failed)?;
        let parent = self.parent(path, make_folder)?.ok_or_else(|| unsafe_path(path))?;
        self.found(path)?;
        // Made with O_EXCL. The dot keeps it out of everybody's globs, should we be killed before it is renamed.
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // Less the umask, as for any file.
        let mut file = builder.tempfile_in(&parent).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(parent.join(file_name(path))).map_err(|error| failed(error.error))?;
        sync_folder(&parent).map_err(failed)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(length) = self.found(path)? else { return Ok(None) };
        if length > MOST_BYTES {
            return Err(Error::io(path, io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        let failed = |error| Error::io(path, error);
        let mut bytes = Vec::new();
        File::open(self.root.join(path)).map_err(failed)?.take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Result<T> {
        let folder = self.clone();
        tokio::task::spawn_blocking(move || work(&folder)).await.map_err(|error| Error::io("", error))?
    }
}

#[async_trait]
impl Place for Folder {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let path = path.to_owned();
        self.blocking(move |folder| folder.get(&path)).await
    }

    async fn size(&self, path: &str) -> Result<Option<u64>> {
        let path = path.to_owned();
        self.blocking(move |folder| folder.found(&path)).await
    }

    async fn write(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let path = path.to_owned();
        self.blocking(move |folder| folder.put(&path, &bytes)).await
    }
}

fn make_folder(folder: &Path) -> io::Result<bool> {
    match fs::create_dir(folder) {
        Ok(()) => {
            // So that its name survives a crash as its files do.
            if let Some(parent) = folder.parent() {
                sync_folder(parent)?;
            }
            Ok(true)
        }
        // Somebody else made it, or something of its name; the next look tells what it is.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(fs::symlink_metadata(folder)?.is_dir()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(()) // Folders cannot be opened there, and renaming is as durable as it gets.
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn unsafe_path(path: &str) -> Error {
    Error::UnsafePath { path: path.to_owned() }
}
