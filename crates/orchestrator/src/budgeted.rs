use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use barkeep_provider::{BarsRequest, Calls, Error, Limits, Page, PageToken, Provider};
use barkeep_queue::{Purse, Rate};

use crate::{Backend, Measured, Result, metrics};

/// How long a token is good: short, so that few are held back by processes that do not use them.
const HOLD: Duration = Duration::from_millis(500);
/// How long to wait before the budget is asked again, after the database did not answer.
const OUTAGE: Duration = Duration::from_secs(1);
/// How long everybody waits after a refusal that does not say.
const REFUSED: Duration = Duration::from_secs(15);

/// A provider whose request limit is shared by every process that keeps its state in the same database: never more than
/// the limit in any 60 seconds, and near it while there is work.
///
/// Put it closest to the vendor's client, inside of `RateLimited` and `Retrying`: a token is good for half a second.
#[derive(Clone, Debug)]
pub struct Budgeted<P> {
    inner: Measured<P>,
    purse: Option<Purse>,
}

impl<P: Provider> Budgeted<P> {
    /// Shares the limit that `inner` states under the budget's `name`, such as that of the account, through `backend`.
    /// Without a limit it does nothing.
    ///
    /// # Errors
    ///
    /// The database failed, or the limit is below 2.
    pub async fn share(inner: P, backend: &Backend, name: &str) -> Result<Self> {
        let inner = Measured::new(inner);
        let Some(limit) = inner.limits().requests_a_minute else {
            return Ok(Self { inner, purse: None });
        };
        let rate = Rate::new(limit, Duration::from_secs(60))?.with_burst((limit / 200).max(1))?.with_hold(HOLD)?;
        backend.budgets.set_budget(name, &rate).await?;
        // As many as can be spent while they are good.
        let block = HOLD.as_micros().div_ceil(rate.interval().as_micros());
        let purse = Purse::new(Arc::clone(&backend.budgets), name);
        Ok(Self { inner, purse: Some(purse.with_block(u32::try_from(block).unwrap_or(u32::MAX))) })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<P: Provider> Provider for Budgeted<P> {
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
        let Some(purse) = &self.purse else {
            return self.inner.page_counted(request, token, calls).await;
        };
        let asked = Instant::now();
        // Without the budget nobody knows what others spend: better late than refused.
        while let Err(error) = purse.take().await {
            tracing::warn!(code = error.code(), %error, "the request budget did not answer");
            tokio::time::sleep(OUTAGE).await;
        }
        metrics::waited(asked.elapsed());
        let page = self.inner.page_counted(request, token, calls).await;
        if let Err(Error::RateLimited { retry_after, .. }) = &page
            && let Err(error) = purse.block(retry_after.unwrap_or(REFUSED)).await
        {
            tracing::warn!(code = error.code(), %error, "the request budget could not be blocked");
        }
        page
    }
}
