use std::fmt;

use async_trait::async_trait;

use crate::{Allowance, BarsRequest, Calls, Limits, Page, PageToken, Provider, Result};

/// Waits before each request, so that a provider's limit of requests a minute is kept.
///
/// The vendor never sees more than the limit in any 60 seconds, however slow the way there is: a request counts from
/// when it is sent until 60 seconds after its answer. What the vendor says about the rest of the allowance is believed,
/// so requests that others make under the same account are reckoned with; after a refusal everybody waits. Without
/// [`Limits::requests_a_minute`] it does nothing.
///
/// Clones share the allowance. Put [`Retrying`](crate::Retrying) around it, not inside of it: every try is a request.
#[derive(Clone)]
pub struct RateLimited<P> {
    inner: P,
    allowance: Option<Allowance>,
}

impl<P: Provider> RateLimited<P> {
    /// Keeps to the limit that `inner` states.
    pub fn new(inner: P) -> Self {
        let allowance = inner.limits().requests_a_minute.map(Allowance::per_minute);
        Self { inner, allowance }
    }

    /// Keeps to an allowance that others draw on too: whatever else is asked of the vendor under the same account.
    #[must_use]
    pub fn with_allowance(self, allowance: Allowance) -> Self {
        Self { allowance: Some(allowance), ..self }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for RateLimited<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        self.page_counted(request, token, &Calls::default()).await
    }

    async fn page_counted(&self, request: &BarsRequest, token: Option<&PageToken>, calls: &Calls) -> Result<Page> {
        let Some(allowance) = &self.allowance else {
            return self.inner.page_counted(request, token, calls).await;
        };
        let permit = allowance.take().await;
        let result = self.inner.page_counted(request, token, calls).await;
        match &result {
            Ok(page) => permit.told(page.quota),
            Err(error) => permit.refused(error),
        }
        result
    }
}

impl<P: fmt::Debug> fmt::Debug for RateLimited<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RateLimited").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
