use std::sync::Arc;

use async_trait::async_trait;

use crate::{BarsRequest, Calls, Limits, Page, PageToken, Provider, Result};

/// A shared provider is a provider, so wrappers take `Arc<dyn Provider>` too.
#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider + ?Sized> Provider for Arc<P> {
    fn limits(&self) -> Limits {
        P::limits(self)
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        P::page(self, request, token).await
    }

    async fn page_counted(&self, request: &BarsRequest, token: Option<&PageToken>, calls: &Calls) -> Result<Page> {
        P::page_counted(self, request, token, calls).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::subject;
    use crate::{RateLimited, Retrying};

    crate::provider_conformance!(subject(|memory| {
        let shared: Arc<dyn Provider> = Arc::new(memory);
        Arc::new(Retrying::new(RateLimited::new(shared)))
    }));
}
