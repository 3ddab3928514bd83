//! What a SQLite file lies on.

use std::path::Path;

/// Filesystems of other machines: more than one may have the file open, and locks are not to be relied on.
const NETWORK: [&str; 14] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// Warns of a file that processes of several machines could open at once. Systems without `/proc` are not told apart.
pub(crate) fn warn_of_network(path: &Path) {
    let Ok(path) = path.canonicalize() else { return };
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    if let Some(filesystem) = network_filesystem(&mounts, &path) {
        tracing::warn!(
            file = %path.display(),
            filesystem,
            "the database file is on a network filesystem, where locks cannot be relied on: it may be damaged; move it to a \
             local disk, or use PostgreSQL"
        );
    }
}

/// The kind of filesystem that `path` is on, if it is one of another machine.
fn network_filesystem<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (folder, kind) = (fields.next()?, fields.next()?);
        // The table escapes what would break its lines.
        let folder = folder.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
        path.starts_with(&folder).then_some((folder.len(), kind))
    });
    // The innermost counts, and of those in one place the last one mounted.
    let (_, kind) = mounted.max_by_key(|(length, _)| *length)?;
    NETWORK.contains(&kind).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/vda / ext4 rw 0 0\n\
        server:/export /srv/bars nfs4 rw 0 0\n\
        /dev/vdb /srv/bars/local ext4 rw 0 0\n\
        //host/share /mnt/my\\040share cifs rw 0 0\n";

    #[test]
    fn a_file_on_another_machine_is_told_from_one_on_a_disk() {
        for (path, expected) in [
            ("/home/bars.db", None),
            ("/srv/bars/bars.db", Some("nfs4")),
            ("/srv/bars/local/bars.db", None),
            ("/srv/barsoom/bars.db", None),
            ("/mnt/my share/bars.db", Some("cifs")),
        ] {
            assert_eq!(network_filesystem(MOUNTS, Path::new(path)), expected, "{path}");
        }
        assert_eq!(network_filesystem("", Path::new("/home/bars.db")), None);
    }
}
