use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use barkeep_provider::{BarsRequest, Error, Limits, Page, PageToken, Provider};
use barkeep_queue::{Budgets, Grant, Rate};
use tokio::sync::Mutex;

use crate::{Backend, Result};

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
pub struct Budgeted<P> {
    inner: P,
    budget: Option<Budget>,
}

struct Budget {
    budgets: Arc<dyn Budgets>,
    name: String,
    /// The most tokens worth asking for at once.
    block: u32,
    held: Mutex<Held>,
}

/// Tokens that this process holds.
#[derive(Debug)]
struct Held {
    tokens: u32,
    until: Instant,
}

impl<P: Provider> Budgeted<P> {
    /// Shares the limit that `inner` states under the budget's `name`, such as that of the account, through `backend`.
    /// Without a limit it does nothing.
    ///
    /// # Errors
    ///
    /// The database failed, or the limit is below 2.
    pub async fn share(inner: P, backend: &Backend, name: impl Into<String>) -> Result<Self> {
        let Some(limit) = inner.limits().requests_a_minute else {
            return Ok(Self { inner, budget: None });
        };
        let rate = Rate::new(limit, Duration::from_secs(60))?.with_burst((limit / 200).max(1))?.with_hold(HOLD)?;
        let (budgets, name) = (Arc::clone(&backend.budgets), name.into());
        budgets.set_budget(&name, &rate).await?;
        let a_hold = HOLD.as_micros().div_ceil(rate.interval().as_micros());
        let block = u32::try_from(a_hold).unwrap_or(u32::MAX).max(1);
        let held = Mutex::new(Held { tokens: 0, until: Instant::now() });
        Ok(Self { inner, budget: Some(Budget { budgets, name, block, held }) })
    }
}

impl Budget {
    /// Waits for a token.
    async fn take(&self) {
        let mut held = self.held.lock().await;
        while held.tokens == 0 || held.until <= Instant::now() {
            let asked = Instant::now();
            match self.budgets.reserve(&self.name, self.block).await {
                Ok(Grant::Granted(block)) => *held = Held { tokens: block.tokens, until: asked + block.hold },
                Ok(Grant::Wait { wait }) => tokio::time::sleep(wait).await,
                Ok(_) => tokio::time::sleep(OUTAGE).await,
                // Without the budget nobody knows what others spend: better late than refused.
                Err(error) => {
                    tracing::warn!(code = error.code(), %error, "the request budget did not answer");
                    tokio::time::sleep(OUTAGE).await;
                }
            }
        }
        held.tokens -= 1;
    }

    /// Lets everybody wait: the vendor said so.
    async fn block(&self, wait: Option<Duration>) {
        if let Err(error) = self.budgets.block(&self.name, wait.unwrap_or(REFUSED)).await {
            tracing::warn!(code = error.code(), %error, "the request budget could not be blocked");
        }
    }
}

#[async_trait]
impl<P: Provider> Provider for Budgeted<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> barkeep_provider::Result<Page> {
        let Some(budget) = &self.budget else {
            return self.inner.page(request, token).await;
        };
        budget.take().await;
        let page = self.inner.page(request, token).await;
        if let Err(Error::RateLimited { retry_after, .. }) = &page {
            budget.block(*retry_after).await;
        }
        page
    }
}

impl<P: fmt::Debug> fmt::Debug for Budgeted<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.budget.as_ref().map(|budget| &budget.name);
        formatter.debug_struct("Budgeted").field("inner", &self.inner).field("budget", &name).finish()
    }
}
