//! Priorities say who goes first, not who goes alone: at each tick every definition that waits gets a turn.

use std::collections::{BTreeMap, HashSet};

use barkeep_queue::{LiveJob, LiveState, Select};

use crate::{Backend, Result};

/// Moves the oldest slice of each definition that had to wait since the tick before, while others went before it, to the
/// very front.
pub(crate) async fn give_everybody_a_turn(backend: &Backend, live: &[LiveJob]) -> Result<()> {
    let Some((jobs, priority)) = kept_waiting(live) else { return Ok(()) };
    let moved = backend.control.reprioritise(&Select::jobs(jobs.into_iter().map(|job| job.id)), priority).await?;
    tracing::debug!(moved, priority, "slices that waited long are next");
    Ok(())
}

/// The oldest slice of each definition that has none among the running or the first, and what is above the first's priority.
fn kept_waiting(live: &[LiveJob]) -> Option<(Vec<&LiveJob>, i16)> {
    if !live.iter().any(|job| job.state == LiveState::Running) {
        return None; // Nobody is served, so nobody is passed over.
    }
    let ready = live.iter().filter(|job| job.state == LiveState::Ready);
    let first = ready.clone().map(|job| job.priority).max()?;
    let is_served = |job: &&LiveJob| job.state == LiveState::Running || job.priority == first;
    let served: HashSet<Option<&str>> = live.iter().filter(is_served).map(|job| job.group.as_deref()).collect();
    let mut oldest: BTreeMap<Option<&str>, &LiveJob> = BTreeMap::new();
    for job in ready.filter(|job| !served.contains(&job.group.as_deref())) {
        let kept = oldest.entry(job.group.as_deref()).or_insert(job);
        if job.id < kept.id {
            *kept = job;
        }
    }
    let waiting: Vec<&LiveJob> = oldest.into_values().collect();
    (!waiting.is_empty()).then_some((waiting, first.saturating_add(1)))
}
