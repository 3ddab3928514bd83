//! Unattended: ticks by a schedule, and workers all the time.

use std::time::Duration;

use barkeep_catalog::Definition;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::clock::Moment;
use crate::crew::with_workers;
use crate::self_check::self_check;
use crate::taken::Excused;
use crate::tick::{Idle, TickReport};
use crate::ticked::tick;
use crate::{Orchestrator, Result};

/// How often a planner that others keep out tries again, in a lease.
const TRIES_A_LEASE: u32 = 4;

/// Ticks and works until `stop` is cancelled.
pub(crate) async fn run(orchestrator: &Orchestrator, stop: &CancellationToken) -> Result<()> {
    orchestrator.settings().check()?;
    self_check(orchestrator).await?;
    with_workers(orchestrator, stop, tick_for_ever(orchestrator)).await?;
    Ok(())
}

async fn tick_for_ever(orchestrator: &Orchestrator) -> Result<()> {
    let excused = Excused::After(orchestrator.settings().retry_failed_after);
    let mut is_due = orchestrator.settings().schedule.starts_at_once();
    let mut due_at = DateTime::<Utc>::MIN_UTC;
    loop {
        let ticked = if is_due { Some(tick_enabled(orchestrator, &excused).await) } else { None };
        match &ticked {
            Some(Err(error)) if !error.is_transient() => return ticked.unwrap_or(Ok(TickReport::default())).map(drop),
            Some(Err(error)) => {
                tracing::warn!(code = error.code(), %error, "tick failed; trying again at the next one")
            }
            Some(Ok(_)) | None => {}
        }
        let was_kept_out = matches!(&ticked, Some(Ok(report)) if report.idle == Some(Idle::LockHeld));
        (is_due, due_at) = wait(orchestrator, due_at, was_kept_out).await;
    }
}

/// Waits until the next tick is due, by the schedule; or a part of a lease where another planner kept this one out, which
/// may have died. Returns whether a tick is due, and since when.
async fn wait(orchestrator: &Orchestrator, last: DateTime<Utc>, was_kept_out: bool) -> (bool, DateTime<Utc>) {
    let settings = orchestrator.settings();
    let patience = settings.lease / TRIES_A_LEASE;
    let Ok(moment) = Moment::now(orchestrator).await else {
        tokio::time::sleep(patience).await;
        return (false, last);
    };
    // Never the same instant twice, even if the sleep was a little short.
    let Some(next) = settings.schedule.next(moment.database.max(last)) else {
        return std::future::pending().await;
    };
    let left = (next - moment.database).to_std().unwrap_or(Duration::ZERO);
    if was_kept_out && patience < left {
        tokio::time::sleep(patience).await;
        return (true, last);
    }
    tokio::time::sleep(left).await;
    (true, next)
}

async fn tick_enabled(orchestrator: &Orchestrator, excused: &Excused) -> Result<TickReport> {
    let definitions = enabled(orchestrator).await?;
    tick(orchestrator, &definitions, excused).await
}

/// The catalog's enabled definitions, the most important first.
pub(crate) async fn enabled(orchestrator: &Orchestrator) -> Result<Vec<Definition>> {
    let mut definitions = orchestrator.backend().catalog.list().await?;
    definitions.retain(|definition| definition.enabled);
    definitions.sort_by_key(|definition| std::cmp::Reverse(definition.priority));
    Ok(definitions)
}
