//! Where `initdb`, `pg_ctl` and `postgres` are, and whom they may run as.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the server's programs.
///
/// # Panics
///
/// If the machine has none: tests that need PostgreSQL fail aloud instead of passing by not running.
pub(crate) fn folder() -> PathBuf {
    candidates().into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file()).expect(
        "PostgreSQL's programs (initdb, pg_ctl) are not on this machine; install them (Debian: apt-get install \
         postgresql; macOS: brew install postgresql), or name a server in BARKEEP_TEST_DATABASE_URL",
    )
}

/// One of the programs that come with the server: `pg_dump`, say.
///
/// # Panics
///
/// If the machine has no PostgreSQL, or one without this program.
pub fn program(name: &str) -> PathBuf {
    let program = folder().join(name);
    assert!(program.is_file(), "PostgreSQL came without {name}: {}", program.display());
    program
}

/// PgBouncer, which Debian keeps where only root looks.
///
/// # Panics
///
/// If the machine has none: see [`folder`].
pub(crate) fn pgbouncer() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/opt/homebrew/bin".into()]);
    folders
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .expect("PgBouncer is not on this machine; install it (Debian: apt-get install pgbouncer; macOS: brew install pgbouncer)")
}

fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("initdb"));
    // A link on the PATH need not have its siblings beside it: follow it home.
    let mut folders: Vec<PathBuf> =
        on_path.filter_map(|initdb| Some(initdb.canonicalize().ok()?.parent()?.to_owned())).collect();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    for parent in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        folders.extend(newest_first(Path::new(parent)).into_iter().map(|version| version.join("bin")));
    }
    folders
}

fn newest_first(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let number = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.trim_start_matches(|character: char| !character.is_ascii_digit()).parse::<u32>().unwrap_or(0)
    };
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions
}

/// Lets a program run as somebody else than root, if we are root. From a folder that is open to everybody: our own may be
/// closed to that user.
pub(crate) fn as_unprivileged(command: &mut Command) {
    command.current_dir("/");
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
}

/// The user and group to run the server as: `None` unless we are root, which PostgreSQL refuses.
pub(crate) fn unprivileged() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").ok().map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata));
    if own != Some(0) {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let fields: Vec<&str> =
            users.lines().map(|line| line.split(':').collect()).find(|fields: &Vec<_>| fields[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("root needs a user postgres or nobody to run PostgreSQL as"))
}
