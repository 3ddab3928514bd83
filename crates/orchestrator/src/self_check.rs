//! Before anything is claimed: whether the parts work together.

use barkeep_catalog::Definition;
use barkeep_provider::{BarsRequest, Calls, Error as ProviderError};
use barkeep_types::TimeRange;
use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Moment;
use crate::run::enabled;
use crate::{Error, Orchestrator, ProgressEvent, Result, in_one_line};

/// Asks the database for everything that is needed, and the vendor for one page. What would stop the work later stops it
/// now; what passes by itself is only warned of.
pub(crate) async fn self_check(orchestrator: &Orchestrator) -> Result<()> {
    let backend = orchestrator.backend();
    backend.inspect.now().await?;
    backend.rejections.rejections().await?;
    backend.store.coverage(&[], TimeRange::ALWAYS).await?;
    let now = Moment::now(orchestrator).await?.market;
    let definitions = enabled(orchestrator).await?;
    match definitions.first().and_then(|definition| probe(orchestrator, definition, now)) {
        // With nothing to fetch, the credentials do not matter yet.
        None => Ok(()),
        Some(request) => ask(orchestrator, &request).await,
    }
}

/// The smallest request that the definition's own would be like: one symbol, one day of a week ago.
fn probe(orchestrator: &Orchestrator, definition: &Definition, now: DateTime<Utc>) -> Option<BarsRequest> {
    let (symbol, timeframe) = (definition.symbols.first()?, definition.timeframes.first()?);
    let end = now - orchestrator.provider().limits().delay - TimeDelta::days(7);
    let day = TimeRange::new(end - TimeDelta::days(1), end).ok()?;
    let request = BarsRequest::new([symbol.clone()], *timeframe, definition.feed.clone(), day).ok()?;
    Some(request.with_adjustment(definition.adjustment))
}

async fn ask(orchestrator: &Orchestrator, request: &BarsRequest) -> Result<()> {
    let calls = Calls::default();
    let answer = orchestrator.provider().page_counted(request, None, &calls).await;
    orchestrator.progress().tell(ProgressEvent::Requested { requests: calls.count() });
    match answer {
        Err(error @ ProviderError::Unauthenticated { .. }) => Err(Error::Credentials(error)),
        Err(error @ ProviderError::Untrusted { .. }) => Err(Error::Vendor(error)),
        Err(error) => {
            // Of this definition, or of this hour: its slices will say so.
            tracing::warn!(
                code = error.code(),
                reason = in_one_line(&error),
                "the vendor's answer to the first request"
            );
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
