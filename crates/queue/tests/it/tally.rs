use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use barkeep_queue::JobId;

/// What several processes did, written down in a folder that they share, one at a time.
#[derive(Clone)]
pub(crate) struct Tally {
    folder: Arc<PathBuf>,
}

impl Tally {
    pub(crate) fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Arc::new(folder.into()) }
    }

    /// A job runs from now on.
    pub(crate) fn begin(&self, job: JobId) {
        self.change(|running, most| {
            running.insert(job.number());
            *most = running.len().max(*most);
        });
    }

    /// It has ended, but for telling the queue so.
    pub(crate) fn end(&self, job: JobId) {
        self.change(|running, _| {
            running.remove(&job.number());
        });
    }

    /// The most jobs that ever ran at once.
    pub(crate) fn most(&self) -> usize {
        let mut found = 0;
        self.change(|_, most| found = *most);
        found
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<i64>, &mut usize)) {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join("tally"))
            .unwrap();
        // Released when the file is closed, also by a process that dies.
        file.lock().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let mut numbers = text.split_whitespace().map(|number| number.parse::<i64>().unwrap());
        let mut most = numbers.next().unwrap_or(0) as usize;
        let mut running: BTreeSet<i64> = numbers.collect();
        change(&mut running, &mut most);
        let told: Vec<String> = running.iter().map(ToString::to_string).collect();
        file.rewind().unwrap();
        file.set_len(0).unwrap();
        write!(file, "{most} {}", told.join(" ")).unwrap();
    }

    /// Something happened between `since` and now.
    pub(crate) fn note(&self, since: Duration) {
        let mut file = File::options().append(true).create(true).open(self.folder.join("spans")).unwrap();
        // One small write to the end of a file is whole.
        file.write_all(format!("{} {}\n", since.as_micros(), now().as_micros()).as_bytes()).unwrap();
    }

    /// What happened: not before the first instant, and not after the second.
    pub(crate) fn spans(&self) -> Vec<(Duration, Duration)> {
        let text = std::fs::read_to_string(self.folder.join("spans")).unwrap_or_default();
        let instant = |number: &str| Duration::from_micros(number.parse().unwrap());
        let span = |line: &str| line.split_once(' ').map(|(since, until)| (instant(since), instant(until))).unwrap();
        text.lines().map(span).collect()
    }
}

/// What the time is, alike in all processes.
#[expect(clippy::disallowed_methods, reason = "a clock that several processes share")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
