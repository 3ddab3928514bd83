//! What the benches share: made-up universes, how time is taken, and how a ratio is printed.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

pub mod bound;
pub mod processor;
pub mod scenarios;
pub mod universe;
pub mod vendor;

/// Prints a ratio that a reader or a script can check.
pub fn print_ratio(name: &str, value: f64) {
    println!("ratio {name} {value:.4}");
}

/// The one in the middle, as little as that says; not a number where there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether to measure, as `cargo bench` does, or only to show that the bench runs, as `cargo test` does.
pub fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench") && !std::env::args().any(|argument| argument == "--test")
}

/// Whether a part of a bench was asked for: all are, unless words after `--` name some.
pub fn is_wanted(name: &str) -> bool {
    let mut words = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    words.peek().is_none() || words.any(|word| name.contains(&word))
}

/// The shortest of some runs, in the processor's time of this thread: what others do on the machine then counts least.
pub fn shortest(runs: usize, mut run: impl FnMut()) -> Duration {
    if !is_measuring() {
        let start = Instant::now();
        run();
        return start.elapsed();
    }
    let mut timed = |times: u32| {
        let start = thread_time();
        (0..times).for_each(|_| run());
        thread_time().saturating_sub(start)
    };
    // The system counts in ticks of some milliseconds: short runs are repeated for many of them. How often is tried out,
    // not reckoned from one run, which may be the slow first one.
    let mut times = 1;
    while timed(times) < LONG_ENOUGH && times < 1 << 24 {
        times *= 2;
    }
    (0..runs).map(|_| timed(times) / times).min().unwrap_or_default()
}

/// So long that a tick more or less does not matter.
const LONG_ENOUGH: Duration = Duration::from_millis(150);

/// How long this thread has run; on systems that do not tell, how long the process has existed.
fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}
