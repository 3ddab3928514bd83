use std::time::Duration;

/// How long a failed job waits: a time that doubles with every failure, up to a longest one.
///
/// ```
/// use barkeep_queue::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff::new(Duration::from_secs(1)).with_longest(Duration::from_secs(60));
/// assert_eq!(backoff.wait(1, 1.0), Duration::from_secs(1));
/// assert_eq!(backoff.wait(3, 1.0), Duration::from_secs(4));
/// assert_eq!(backoff.wait(9, 0.5), Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Backoff {
    /// Waits about `first` after the first failure, and an hour at most.
    pub fn new(first: Duration) -> Self {
        Self { first, longest: Duration::from_secs(3600) }
    }

    /// Stops growing at `longest`.
    #[must_use]
    pub fn with_longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// The wait after failure number `failures`, counted from 1, multiplied by `jitter`.
    ///
    /// The queue draws `jitter` from 0.5 to 1, so that jobs that failed together do not come back together.
    pub fn wait(&self, failures: u16, jitter: f64) -> Duration {
        let doublings = u32::from(failures.saturating_sub(1)).min(30);
        self.first.saturating_mul(1 << doublings).min(self.longest).mul_f64(jitter)
    }
}

/// 5 seconds, doubling up to an hour.
impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_secs(5))
    }
}
