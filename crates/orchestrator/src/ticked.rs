//! What is told of a tick: one line in the log, a sign of life in the database, events and metrics.

use std::collections::BTreeMap;

use barkeep_types::Timeframe;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::Instrument;

use crate::standing::Standing;
use crate::tick::Round;
use crate::{Clock, Idle, Orchestrator, ProgressEvent, Result, Stalled, TickReport, in_one_line, metrics};

/// The sign of life that every tick gives.
pub(crate) const TICK: &str = "tick";

/// What a tick found, as kept in the database for every process and for people who look there.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TickNote {
    /// In how many seconds the next one is to come; 0 if none is.
    pub interval_seconds: u64,
    /// The series looked at.
    pub scanned: u64,
    /// The gaps found.
    pub gaps: u64,
    /// How many slices were new in the queue.
    pub jobs_dispatched: u64,
    /// How many requests they are expected to take.
    pub requests: u64,
    /// The pieces of settled time that are asked for once more as a sample.
    pub reverified: u64,
    /// The definitions that could not be planned.
    pub errors: Vec<String>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// How complete the series are.
    pub standing: BTreeMap<Timeframe, Standing>,
}

/// Ticks, and tells of it.
pub(crate) async fn tick(orchestrator: &Orchestrator, round: Round<'_>) -> Result<TickReport> {
    let tick = orchestrator.watching().next_tick();
    let span = tracing::info_span!("tick", tick);
    async {
        let ticked = crate::tick::tick(orchestrator, round).await;
        match &ticked {
            Ok(report) => tell(orchestrator, report).await,
            Err(error) => metrics::tick_failed(error.code()),
        }
        ticked
    }
    .instrument(span)
    .await
}

async fn tell(orchestrator: &Orchestrator, report: &TickReport) {
    metrics::ticked(outcome(report), report);
    if report.idle == Some(Idle::LockHeld) {
        tracing::debug!("another process ticks");
        return;
    }
    let standing = report.standing.values();
    tracing::info!(
        scanned = report.scanned,
        gaps = report.gaps,
        missing_bars = standing.map(|standing| standing.missing_bars).sum::<u64>(),
        slices = report.slices_created,
        dispatched = report.jobs_dispatched,
        requests = report.requests,
        errors = report.errors.len(),
        idle = report.idle.map(tracing::field::display),
        elapsed_ms = u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
        "tick"
    );
    match &report.stalled {
        None => {}
        Some(Stalled::NoWorker { claimable }) => tracing::warn!(claimable, "slices wait, and no worker takes them"),
        Some(Stalled::Blocked(blockers)) => tracing::warn!(?blockers, "slices wait, and something holds them back"),
    }
    for (definition, error) in &report.errors {
        tracing::error!(definition, code = error.code(), reason = in_one_line(error), "not planned");
    }
    let TickReport { gaps, jobs_dispatched: slices, requests, least_requests, .. } = *report;
    orchestrator.progress().tell(ProgressEvent::Planned { gaps, slices, requests, least_requests });
    let note = json!(note(orchestrator, report));
    if let Err(error) = orchestrator.backend().watch.beat(TICK, &orchestrator.settings().name, &note).await {
        tracing::warn!(code = error.code(), "the tick left no sign of life");
    }
}

fn note(orchestrator: &Orchestrator, report: &TickReport) -> TickNote {
    let failed = report.errors.iter().map(|(definition, error)| format!("{definition}: {}", error.code()));
    TickNote {
        interval_seconds: interval(orchestrator).unwrap_or(0),
        scanned: report.scanned,
        gaps: report.gaps,
        jobs_dispatched: report.jobs_dispatched,
        requests: report.requests,
        reverified: report.reverified,
        errors: failed.collect(),
        elapsed_ms: u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
        standing: report.standing.clone(),
    }
}

/// How long it is until the next tick, rounded up to seconds.
fn interval(orchestrator: &Orchestrator) -> Option<u64> {
    let now = Clock::host_now();
    let next = orchestrator.settings().schedule.next(now)?;
    u64::try_from((next - now).num_milliseconds()).ok().map(|milliseconds| milliseconds.div_ceil(1000))
}

fn outcome(report: &TickReport) -> &'static str {
    match report.idle {
        Some(Idle::LockHeld) => "lock_held",
        Some(Idle::NothingEnabled) => "nothing_enabled",
        Some(Idle::Errors) => "failed",
        _ => "planned",
    }
}
