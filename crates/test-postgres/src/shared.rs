//! The one server that all test processes of a run share.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::server::Server;
use crate::{binaries, folder};

/// How often a process shows that it still uses the server.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Stops the server and deletes its folder, once nobody has given a sign of life for two minutes.
const WATCHDOG: &str = r#"
(
    while sleep 15; do
        [ -z "$(find "$1/used" -mmin +2 2>/dev/null)" ] && [ -e "$1/used" ] && continue
        "$2/pg_ctl" -D "$1/data" -m immediate stop
        rm -rf "$1"
        exit
    done
) &
"#;

/// The URL of the shared server, which is started by whoever comes first.
pub(crate) fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var("BARKEEP_TEST_DATABASE_URL").unwrap_or_else(|_| join()))
}

fn join() -> String {
    let user = std::env::var("USER").unwrap_or_default();
    let name = format!("barkeep-tests-{}", user.replace(|character: char| !character.is_ascii_alphanumeric(), "_"));
    let lock = File::create(std::env::temp_dir().join(format!("{name}.lock")))
        .expect("the temporary folder can be written to");
    lock.lock().expect("a file can be locked");
    let server = Server::in_folder(folder::scratch().join(name));
    if !server.is_running() {
        server.create();
        server.resume();
        File::create(server.folder().join("used")).expect("the folder is ours");
        watch(server.folder());
    }
    show_life(server.folder());
    lock.unlock().expect("a locked file can be unlocked");
    server.url()
}

fn watch(folder: &Path) {
    let mut watchdog = Command::new("/bin/sh");
    watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(folder).arg(binaries::folder()).current_dir("/");
    if let Some((user, group)) = binaries::unprivileged() {
        std::os::unix::process::CommandExt::uid(&mut watchdog, user);
        std::os::unix::process::CommandExt::gid(&mut watchdog, group);
    }
    // A group of its own: an interrupted test run must not take it along.
    std::os::unix::process::CommandExt::process_group(&mut watchdog, 0);
    watchdog.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    watchdog.status().expect("a shell can be run");
}

fn show_life(folder: &Path) {
    let used = folder.join("used");
    let _ = File::create(&used);
    std::thread::spawn(move || {
        while File::create(&used).is_ok() {
            std::thread::sleep(SIGN_OF_LIFE);
        }
    });
}
