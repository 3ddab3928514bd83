use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::allowance::Allowance;
use crate::{BarsRequest, Error, Limits, Page, PageToken, Provider, Result};

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
    allowance: Option<Arc<Allowance>>,
}

impl<P: Provider> RateLimited<P> {
    /// Keeps to the limit that `inner` states.
    pub fn new(inner: P) -> Self {
        let allowance = inner.limits().requests_a_minute.map(|limit| Arc::new(Allowance::new(limit)));
        Self { inner, allowance }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for RateLimited<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        let Some(allowance) = &self.allowance else {
            return self.inner.page(request, token).await;
        };
        let permit = allowance.take().await;
        let result = self.inner.page(request, token).await;
        match &result {
            Ok(Page { quota: Some(quota), .. }) => permit.told(*quota),
            Err(Error::RateLimited { retry_after, quota, .. }) => permit.refused(*retry_after, *quota),
            _ => {}
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
