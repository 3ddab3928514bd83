//! Unattended: ticks by a schedule, and workers all the time.

use std::future::ready;
use std::time::Duration;

use barkeep_catalog::Definition;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::cautious::WhenFull;
use crate::crew::with_workers;
use crate::self_check::self_check;
use crate::space::{Writer, ran_out, ticked};
use crate::taken::Excused;
use crate::tick::{Idle, Round, TickReport};
use crate::ticked::tick;
use crate::tuning::refresh;
use crate::{Orchestrator, Result};

/// How often a planner that others keep out tries again, in a lease.
const TRIES_A_LEASE: u32 = 4;
/// How often who waits looks whether a setting was changed for all.
const LOOK: Duration = Duration::from_secs(2);

/// Ticks and works until `stop` is cancelled.
pub(crate) async fn run(orchestrator: &Orchestrator, stop: &CancellationToken) -> Result<()> {
    orchestrator.settings().check()?;
    self_check(orchestrator).await?;
    with_workers(orchestrator, stop, WhenFull::Wait, ready(()), tick_for_ever(orchestrator)).await?;
    Ok(())
}

async fn tick_for_ever(orchestrator: &Orchestrator) -> Result<()> {
    let mut wait = Wait { last: DateTime::<Utc>::MIN_UTC, revision: None };
    if !orchestrator.settings().schedule.starts_at_once() {
        wait.take_over(orchestrator).await;
        wait.until_due(orchestrator).await;
    }
    loop {
        let excused = Excused::After(orchestrator.settings().retry_failed_after);
        let was_kept_out = match tick_enabled(orchestrator, &excused).await {
            Ok(report) => {
                ticked(orchestrator).await;
                report.idle == Some(Idle::LockHeld)
            }
            Err(error) if error.is_full() => {
                ran_out(orchestrator, Writer::Tick, &error).await;
                false
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(code = error.code(), %error, "tick failed; trying again at the next one");
                false
            }
            Err(error) => return Err(error),
        };
        let patience = orchestrator.settings().lease / TRIES_A_LEASE;
        if was_kept_out {
            // The other one may have died: then its lock lapses with its lease, and not with our schedule.
            let due = wait.until_due(orchestrator);
            let _ = tokio::time::timeout(patience, due).await;
        } else {
            wait.until_due(orchestrator).await;
        }
    }
}

/// Waits from one tick to the next.
struct Wait {
    /// When the last one was due.
    last: DateTime<Utc>,
    /// Of the settings that were last taken over.
    revision: Option<u64>,
}

impl Wait {
    /// Waits until the next tick is due, and takes over what is set for all processes meanwhile.
    async fn until_due(&mut self, orchestrator: &Orchestrator) {
        let mut from = None;
        loop {
            let now = orchestrator.backend().inspect.now().await;
            // Without the database nothing can be planned, and its clock is the one that counts.
            let Ok(now) = now else {
                tokio::time::sleep(LOOK).await;
                continue;
            };
            // Never the same instant twice, even if a sleep was a little short.
            let from = *from.get_or_insert(now.max(self.last));
            let next = orchestrator.settings().schedule.next(from);
            let left = next.map(|next| (next - now).to_std().unwrap_or_default());
            match left.zip(next) {
                Some((left, next)) if left <= LOOK => {
                    tokio::time::sleep(left).await;
                    self.last = next;
                    return;
                }
                _ => tokio::time::sleep(LOOK).await,
            }
            self.take_over(orchestrator).await;
        }
    }

    async fn take_over(&mut self, orchestrator: &Orchestrator) {
        let Ok(revision) = orchestrator.backend().book.settings_revision().await else { return };
        if self.revision.replace(revision) != Some(revision)
            && let Err(error) = refresh(orchestrator).await
        {
            self.revision = None;
            tracing::warn!(code = error.code(), %error, "settings could not be taken over; trying again");
        }
    }
}

async fn tick_enabled(orchestrator: &Orchestrator, excused: &Excused) -> Result<TickReport> {
    let definitions = enabled(orchestrator).await?;
    tick(orchestrator, Round { definitions: &definitions, excused, reverifies: true }).await
}

/// The catalog's enabled definitions, the most important first.
pub(crate) async fn enabled(orchestrator: &Orchestrator) -> Result<Vec<Definition>> {
    let mut definitions = orchestrator.backend().catalog.list().await?;
    definitions.retain(|definition| definition.enabled);
    definitions.sort_by_key(|definition| std::cmp::Reverse(definition.priority));
    Ok(definitions)
}
