//! What was measured, beside what it is held to.

use std::time::Duration;

/// What one path took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub bars: usize,
    pub wall: Duration,
    /// Of the server's processes; nought where there is no server.
    pub cpu: Duration,
    /// Written ahead.
    pub wal: u64,
}

impl Cost {
    pub fn rate(&self) -> f64 {
        self.bars as f64 / self.wall.as_secs_f64()
    }

    /// Bars in a second of the server's processors.
    pub fn cpu_rate(&self) -> f64 {
        if self.cpu.is_zero() { f64::NAN } else { self.bars as f64 / self.cpu.as_secs_f64() }
    }

    pub fn wal_a_bar(&self) -> f64 {
        self.wal as f64 / self.bars as f64
    }

    pub fn line(&self, name: &str) {
        let (cpu, rate, wal) = (self.cpu_rate() / 1e3, self.rate() / 1e3, self.wal_a_bar());
        println!("  {name:<56} {rate:>8.0} k bars/s {cpu:>8.0} k bars/cpu-s {wal:>8.2} B WAL/bar");
    }
}

/// All pages at the pace of the median one: a page that waited for the machine does not count for more than others.
pub fn typical(pages: &[Cost]) -> Cost {
    let mut walls: Vec<Duration> = pages.iter().map(|page| page.wall).collect();
    walls.sort_unstable();
    let count = u32::try_from(pages.len()).expect("few pages");
    Cost {
        bars: pages.iter().map(|page| page.bars).sum(),
        wall: walls[walls.len() / 2] * count,
        cpu: pages.iter().map(|page| page.cpu).sum(),
        wal: pages.iter().map(|page| page.wal).sum(),
    }
}

/// The run that disturbances of the machine slowed least.
pub fn best(costs: &[Cost]) -> Cost {
    *costs.iter().min_by_key(|cost| cost.wall).expect("at least one run")
}

/// A figure that nothing is held to.
pub fn figure(name: &str, found: f64) {
    benches::print_ratio(&format!("store/{name}"), found);
}

pub fn at_least(name: &str, found: f64, wanted: f64) {
    verdict(name, found, ">=", wanted, found >= wanted);
}

pub fn at_most(name: &str, found: f64, wanted: f64) {
    verdict(name, found, "<=", wanted, found <= wanted);
}

fn verdict(name: &str, found: f64, relation: &str, wanted: f64, holds: bool) {
    // A run that only shows that the bench works is too short to be judged.
    let word = match (benches::is_measuring(), holds) {
        (false, _) => "not judged",
        (true, true) => "holds",
        (true, false) => "MISSED",
    };
    println!("  {name:<56} {found:>9.2} {relation} {wanted:<8} {word}");
    figure(name, found);
}
