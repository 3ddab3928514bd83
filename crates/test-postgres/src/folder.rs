//! Where servers and poolers keep what they need.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries;

/// Memory if there is enough of it, since nothing here needs to last.
pub(crate) fn scratch() -> PathBuf {
    const ENOUGH_KIB: u64 = 1024 * 1024;
    let memory = Path::new("/dev/shm");
    let df = Command::new("df").args(["-Pk", "/dev/shm"]).output();
    let table = df.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free: Option<u64> =
        table.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)).and_then(|free| free.parse().ok());
    if memory.is_dir() && free.is_some_and(|free| free > ENOUGH_KIB) { memory.to_owned() } else { std::env::temp_dir() }
}

/// The name of a folder that nobody else has.
pub(crate) fn private_under(parent: &Path) -> PathBuf {
    parent.join(format!("barkeep-private-{}", uuid::Uuid::new_v4().simple()))
}

/// Makes a folder for whoever servers run as, and nobody else. What was in it is gone.
pub(crate) fn make(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("the temporary folder can be written to");
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).expect("the folder is ours");
    if let Some((user, group)) = binaries::unprivileged() {
        std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may give folders away");
    }
}
