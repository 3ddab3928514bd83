use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, sleep};

use crate::{Error, Result, Retry};

/// How often, and when, a request is sent again whose error says that this may help.
///
/// Up to three more tries, after 1, 2 and 4 seconds and up to as much again, at random, so that many workers do not come
/// back together. The vendor's word on when to come back is kept, unless that is at once. Waiting in vain is bounded: when the
/// next try would start more than two minutes after the first, the error is given instead.
///
/// [`Retrying`](crate::Retrying) does this for pages; a vendor's client may use it for what it asks besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    tries: usize,
    first_wait: Duration,
    longest: Duration,
}

impl Default for RetryPolicy {
    /// Up to three more tries within two minutes.
    fn default() -> Self {
        Self { tries: 3, first_wait: Duration::from_secs(1), longest: Duration::from_secs(120) }
    }
}

impl RetryPolicy {
    /// Tries at most `tries` more times.
    #[must_use]
    pub fn with_tries(self, tries: usize) -> Self {
        Self { tries, ..self }
    }

    /// Waits `first_wait` before the second try, instead of a second, and twice as long before each after it.
    #[must_use]
    pub fn with_first_wait(self, first_wait: Duration) -> Self {
        Self { first_wait, ..self }
    }

    /// Starts no try later than `longest` after the first.
    #[must_use]
    pub fn with_longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Asks, and asks again as often as the policy has it.
    ///
    /// # Errors
    ///
    /// The last one: no try is left, no time is, or another try could not help.
    pub async fn run<T, F: Future<Output = Result<T>>>(&self, ask: impl FnMut() -> F) -> Result<T> {
        let started_at = Instant::now();
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_factor(2.0)
            .with_max_times(self.tries)
            .with_jitter();
        let in_time = |wait: Duration| (started_at.elapsed().saturating_add(wait) <= self.longest).then_some(wait);
        // `None` as the next wait means that all tries are used up.
        let wait = |error: &Error, next: Option<Duration>| match (error.retry(), next?) {
            (Retry::Never, _) => None,
            (Retry::Backoff, wait) => in_time(wait),
            (Retry::After(asked), wait) => in_time(if asked.is_zero() { wait } else { asked }),
        };
        let notify = |error: &Error, wait: Duration| {
            tracing::info!(code = error.code(), request_id = ?error.request_id(), ?wait, "trying again");
        };
        ask.retry(waits).sleep(sleep).adjust(wait).notify(notify).await
    }
}
