use std::path::PathBuf;

/// The environment of a program that takes it to be later, or earlier with a minus, by so many seconds, as on a host whose
/// clock is off. Time passes for it as for anybody, and timers, which count from no date, are left alone.
///
/// # Panics
///
/// If libfaketime is not on this machine: tests that need it fail aloud instead of passing by not running.
pub fn clock_ahead_by(seconds: i64) -> [(&'static str, String); 3] {
    let library = library().into_os_string().into_string().expect("a path of ASCII");
    [("LD_PRELOAD", library), ("FAKETIME", format!("{seconds:+}")), ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned())]
}

fn library() -> PathBuf {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from).into_iter();
    let below = |folder: &PathBuf| {
        // Debian keeps a folder for each kind of machine.
        let kinds = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        kinds.filter(|kind| kind.to_string_lossy().contains("-linux-")).collect::<Vec<_>>()
    };
    folders
        .flat_map(|folder| [vec![folder.clone()], below(&folder)].concat())
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
        .expect("libfaketime is not on this machine; install it (Debian: apt-get install faketime; Fedora: dnf install libfaketime)")
}
