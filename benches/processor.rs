//! Who used the processors, as Linux tells in /proc.

use std::time::Duration;

/// What a process has used.
pub struct Process {
    pub parent: u32,
    pub own: Duration,
    /// Its children that have ended, and theirs.
    pub ended_children: Duration,
}

/// A process by its number, or `self`; none where there is no /proc.
pub fn process(id: &str) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name may hold anything, brackets too: what follows the last one is numbers.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Process {
        parent: number(1)?.try_into().ok()?,
        own: ticks(number(11)? + number(12)?),
        ended_children: ticks(number(13)? + number(14)?),
    })
}

/// What all processors were busy with, of the machine's first line of numbers: user, nice, system, idle, waiting, ...
pub fn whole_machine() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let fields: Vec<u64> = fields.map(|field| field.parse().unwrap_or(0)).collect();
    ticks([0, 1, 2, 5, 6].iter().filter_map(|place| fields.get(*place)).sum())
}

/// Linux counts in hundredths of a second, on every machine that people use.
fn ticks(count: u64) -> Duration {
    Duration::from_millis(10 * count)
}
