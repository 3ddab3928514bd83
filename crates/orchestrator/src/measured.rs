use std::time::Instant;

use async_trait::async_trait;
use barkeep_provider::{BarsRequest, Calls, Limits, Page, PageToken, Provider};

use crate::metrics;

/// A provider whose requests are counted and timed: `barkeep_provider_requests_total` and its like.
///
/// Put it closest to the vendor's client, so that waiting and retrying are not taken for the vendor's slowness.
/// [`Budgeted`](crate::Budgeted) does so by itself.
#[derive(Clone, Debug)]
pub struct Measured<P> {
    inner: P,
}

impl<P: Provider> Measured<P> {
    /// Measures `inner`.
    pub fn new(inner: P) -> Self {
        Self { inner }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for Measured<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> barkeep_provider::Result<Page> {
        self.page_counted(request, token, &Calls::default()).await
    }

    async fn page_counted(
        &self,
        request: &BarsRequest,
        token: Option<&PageToken>,
        calls: &Calls,
    ) -> barkeep_provider::Result<Page> {
        let asked = Instant::now();
        let page = self.inner.page_counted(request, token, calls).await;
        if let Some(bytes) = page.as_ref().ok().and_then(|page| page.bytes) {
            metrics::read(bytes);
        }
        metrics::requested(page.as_ref().map_or_else(|error| error.code(), |_| "OK"), asked.elapsed());
        page
    }
}
