use std::time::Duration;

use barkeep_queue::Backoff;
use chrono::TimeDelta;

use crate::{Clock, Thresholds};

/// How an orchestrator works. Every setting has a default that does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How many slices this process fetches at once: 5. At least 1.
    pub workers: u16,
    /// How long a claimed slice stays this process' without a sign of life: 60 s. A process that is killed holds its
    /// slices back for this long, so the shorter the sooner others take over; a third of it must suffice for a
    /// heartbeat.
    pub lease: Duration,
    /// How long an idle worker waits before it looks again, at the most: 1 s.
    pub poll: Duration,
    /// How long a slice that failed waits for its next try.
    pub backoff: Backoff,
    /// How often an unattended orchestrator looks for gaps: every 60 s.
    pub tick: Duration,
    /// After how long an unattended orchestrator tries a slice again that failed for good: an hour.
    pub retry_failed_after: TimeDelta,
    /// How often an unattended orchestrator looks how everything is doing: every 15 s. Who asks more often than three times
    /// as often is told what was seen last.
    pub watch: Duration,
    /// From when on something is wrong.
    pub thresholds: Thresholds,
    /// What tells the time.
    pub clock: Clock,
    /// Who this process is, in the queue's tables: host and process id.
    pub name: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 5,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            backoff: Backoff::default(),
            tick: Duration::from_secs(60),
            retry_failed_after: TimeDelta::hours(1),
            watch: Duration::from_secs(15),
            thresholds: Thresholds::default(),
            clock: Clock::Host,
            name: format!("barkeep-{}", std::process::id()),
        }
    }
}

impl Settings {
    /// Fetches up to `workers` slices at once; at least one.
    #[must_use]
    pub fn with_workers(self, workers: u16) -> Self {
        Self { workers: workers.max(1), ..self }
    }

    /// Holds claimed slices for `lease` without a sign of life; at least 1 s.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease: lease.max(Duration::from_secs(1)), ..self }
    }

    /// Waits otherwise before a failed slice is tried again.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Looks for gaps at another interval; at least every second.
    #[must_use]
    pub fn with_tick(self, tick: Duration) -> Self {
        Self { tick: tick.max(Duration::from_secs(1)), ..self }
    }

    /// Looks otherwise often how everything is doing; at least every 10 ms apart.
    #[must_use]
    pub fn with_watch(self, watch: Duration) -> Self {
        Self { watch: watch.max(Duration::from_millis(10)), ..self }
    }

    /// Finds something wrong earlier or later.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds, ..self }
    }

    /// Lives by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }
}
