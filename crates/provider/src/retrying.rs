use std::time::Duration;

use async_trait::async_trait;

use crate::{BarsRequest, Calls, Limits, Page, PageToken, Provider, Result, RetryPolicy};

/// Rides out blips: sends a request for a page again when its error says that this may help, as [`RetryPolicy`] has it.
/// What lasts longer is the queue's business.
#[derive(Clone, Debug)]
pub struct Retrying<P> {
    inner: P,
    policy: RetryPolicy,
}

impl<P: Provider> Retrying<P> {
    /// Up to three more tries within two minutes.
    pub fn new(inner: P) -> Self {
        Self { inner, policy: RetryPolicy::default() }
    }

    /// Tries at most `tries` more times.
    #[must_use]
    pub fn with_tries(self, tries: usize) -> Self {
        Self { policy: self.policy.with_tries(tries), ..self }
    }

    /// Waits `first_wait` before the second try, instead of a second, and twice as long before each after it.
    #[must_use]
    pub fn with_first_wait(self, first_wait: Duration) -> Self {
        Self { policy: self.policy.with_first_wait(first_wait), ..self }
    }

    /// Starts no try later than `longest` after the first.
    #[must_use]
    pub fn with_longest(self, longest: Duration) -> Self {
        Self { policy: self.policy.with_longest(longest), ..self }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for Retrying<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        self.page_counted(request, token, &Calls::default()).await
    }

    async fn page_counted(&self, request: &BarsRequest, token: Option<&PageToken>, calls: &Calls) -> Result<Page> {
        self.policy.run(|| self.inner.page_counted(request, token, calls)).await
    }
}

#[cfg(test)]
mod tests;
