use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metrics::histogram;

use crate::PoolWaits;

/// How long it takes to get a connection, through the `metrics` facade.
pub(crate) const POOL_WAIT: &str = "barkeep_db_pool_wait_seconds";

/// From when on a wait is long.
const LONG: Duration = Duration::from_secs(1);

/// Counts how often connections are waited for.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    asked: AtomicU64,
    long: AtomicU64,
}

impl Waits {
    pub(crate) fn sum(&self) -> PoolWaits {
        PoolWaits { asked: self.asked.load(Ordering::Relaxed), long: self.long.load(Ordering::Relaxed) }
    }

    /// Somebody asks, until the value is dropped: with a connection in hand, or tired of waiting.
    pub(crate) fn begin(&self) -> Wait<'_> {
        Wait { waits: self, since: Instant::now() }
    }
}

/// One that goes on.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    waits: &'a Waits,
    since: Instant,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let wait = self.since.elapsed();
        histogram!(POOL_WAIT).record(wait.as_secs_f64());
        self.waits.asked.fetch_add(1, Ordering::Relaxed);
        if wait > LONG {
            self.waits.long.fetch_add(1, Ordering::Relaxed);
        }
    }
}
