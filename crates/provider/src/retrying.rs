use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use tokio::time::{Instant, sleep};

use crate::{BarsRequest, Error, Limits, Page, PageToken, Provider, Result, Retry};

/// Rides out blips: sends a request again when its error says that this may help.
///
/// Up to three more tries, after 1, 2 and 4 seconds and up to as much again, at random, so that many workers do not come
/// back together. The vendor's word on when to come back is kept. Waiting in vain is bounded: when the next try would
/// start more than two minutes after the first, the error is given instead. What lasts longer is the queue's business.
#[derive(Clone, Debug)]
pub struct Retrying<P> {
    inner: P,
    tries: usize,
    first_wait: Duration,
    longest: Duration,
}

impl<P: Provider> Retrying<P> {
    /// Up to three more tries within two minutes.
    pub fn new(inner: P) -> Self {
        Self { inner, tries: 3, first_wait: Duration::from_secs(1), longest: Duration::from_secs(120) }
    }

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
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for Retrying<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        let started_at = Instant::now();
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_factor(2.0)
            .with_max_times(self.tries)
            .with_jitter();
        let in_time = |wait: Duration| (started_at.elapsed() + wait <= self.longest).then_some(wait);
        // `None` as the next wait means that all tries are used up.
        let wait = |error: &Error, next: Option<Duration>| match (error.retry(), next?) {
            (Retry::Never, _) => None,
            (Retry::Backoff, wait) => in_time(wait),
            (Retry::After(asked), _) => in_time(asked),
        };
        let notify = |error: &Error, wait: Duration| {
            tracing::info!(code = error.code(), request_id = ?error.request_id(), ?wait, "trying again");
        };
        (async || self.inner.page(request, token).await).retry(waits).sleep(sleep).adjust(wait).notify(notify).await
    }
}

#[cfg(test)]
mod tests;
