//! Unattended: ticks at an interval, and workers all the time.

use barkeep_catalog::Definition;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::crew::with_workers;
use crate::taken::Excused;
use crate::ticked::tick;
use crate::{Orchestrator, Result};

/// Ticks and works until `stop` is cancelled.
pub(crate) async fn run(orchestrator: &Orchestrator, stop: &CancellationToken) -> Result<()> {
    with_workers(orchestrator, stop, tick_for_ever(orchestrator)).await?;
    Ok(())
}

async fn tick_for_ever(orchestrator: &Orchestrator) -> Result<()> {
    let mut beat = tokio::time::interval(orchestrator.settings().tick);
    // A tick that took long is not made up for by ticks in a row.
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let excused = Excused::After(orchestrator.settings().retry_failed_after);
    loop {
        beat.tick().await;
        match tick_enabled(orchestrator, &excused).await {
            Err(error) if !error.is_transient() => return Err(error),
            Err(error) => tracing::warn!(code = error.code(), %error, "tick failed; trying again at the next one"),
            Ok(()) => {}
        }
    }
}

async fn tick_enabled(orchestrator: &Orchestrator, excused: &Excused) -> Result<()> {
    let definitions = enabled(orchestrator).await?;
    let report = tick(orchestrator, &definitions, excused).await?;
    for (definition, error) in &report.errors {
        tracing::error!(definition, code = error.code(), %error, "definition could not be planned");
    }
    Ok(())
}

/// The catalog's enabled definitions, the most important first.
pub(crate) async fn enabled(orchestrator: &Orchestrator) -> Result<Vec<Definition>> {
    let mut definitions = orchestrator.backend().catalog.list().await?;
    definitions.retain(|definition| definition.enabled);
    definitions.sort_by_key(|definition| std::cmp::Reverse(definition.priority));
    Ok(definitions)
}
