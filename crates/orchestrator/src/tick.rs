//! One tick: what is missing becomes slices in the queue, by one planner at a time over all processes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use barkeep_catalog::Definition;
use barkeep_planner::Estimate;
use barkeep_queue::{Lock, NewJob};
use barkeep_types::Timeframe;

use crate::plan::Group;
use crate::standing::Standing;
use crate::taken::{Excused, Taken};
use crate::{Error, Orchestrator, Result, SliceJob};

/// The planner's lock, and how long one who died holding it keeps the others out.
const LOCK: &str = "planner";
const LOCK_LEASE: Duration = Duration::from_secs(30);

/// What a tick did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct TickReport {
    /// The series it looked at.
    pub scanned: u64,
    /// The gaps it found, not counting what is queued or running.
    pub gaps: u64,
    /// The slices that the gaps were packed into.
    pub slices_created: u64,
    /// How many of them are new in the queue.
    pub jobs_dispatched: u64,
    /// How many requests the slices are expected to take.
    pub requests: u64,
    /// No packing of these gaps could take fewer requests, if the vendor sends as much as expected.
    pub least_requests: u64,
    /// Whether slices of the definitions are queued or running, from this tick or before.
    pub in_flight: bool,
    /// The definitions that could not be planned, and why; the others were.
    pub errors: Vec<(String, Error)>,
    /// Why nothing was dispatched, if nothing was.
    pub idle: Option<Idle>,
    /// How complete the series are, by timeframe, before what this tick dispatched.
    pub standing: BTreeMap<Timeframe, Standing>,
    /// How long the tick took.
    pub duration: Duration,
}

/// Why a tick dispatched nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idle {
    /// No definition is enabled.
    NothingEnabled,
    /// Another planner is at work, in this process or another.
    LockHeld,
    /// Nothing is missing that is settled.
    NothingMissing,
    /// What is missing is queued or running already.
    InFlight,
    /// Every definition failed to be planned.
    Errors,
}

/// Ticks over `definitions`, leaving out what failed and is not `excused`.
pub(crate) async fn tick(
    orchestrator: &Orchestrator,
    definitions: &[Definition],
    excused: &Excused,
) -> Result<TickReport> {
    let started = Instant::now();
    let backend = orchestrator.backend();
    let lock = backend.locks.lock(LOCK, &orchestrator.settings().name, LOCK_LEASE).await?;
    let Some(lock) = lock else {
        return Ok(TickReport { idle: Some(Idle::LockHeld), in_flight: true, ..TickReport::default() });
    };
    let planned = plan_all(orchestrator, definitions, excused, &lock).await;
    backend.locks.unlock(&lock).await?;
    let mut report = planned?;
    report.idle = idle(&report, definitions);
    report.duration = started.elapsed();
    Ok(report)
}

async fn plan_all(
    orchestrator: &Orchestrator,
    definitions: &[Definition],
    excused: &Excused,
    lock: &Lock,
) -> Result<TickReport> {
    let backend = orchestrator.backend();
    backend.queue.reap().await?;
    let mut taken = Taken::read(backend, excused).await?;
    let mut report = TickReport::default();
    for definition in definitions {
        if !backend.locks.extend_lock(lock, LOCK_LEASE).await? {
            // Somebody else plans by now; what we enqueued so far stands.
            report.in_flight = true;
            break;
        }
        match plan_definition(orchestrator, definition, &mut taken, &mut report).await {
            Ok(()) => {}
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => report.errors.push((definition.name.clone(), error)),
        }
    }
    Ok(report)
}

async fn plan_definition(
    orchestrator: &Orchestrator,
    definition: &Definition,
    taken: &mut Taken,
    report: &mut TickReport,
) -> Result<()> {
    let faulty = |faults| Error::Definition { name: definition.name.clone(), faults };
    definition.check().map_err(faulty)?;
    for &timeframe in &definition.timeframes {
        let group = Group::look(orchestrator, definition, timeframe, taken).await?;
        let is_in_flight = group.is_in_flight();
        report.standing.entry(timeframe).or_default().add(&group.standing());
        let plan = group.plan(orchestrator.settings().workers);
        let Estimate { gaps, requests, least_requests, .. } = plan.estimate;
        let slices = plan.slices.into_iter();
        let slices: Vec<SliceJob> = slices.map(|slice| SliceJob::new(definition, timeframe, slice)).collect();
        let jobs: Vec<NewJob> = slices.iter().map(|slice| slice.job(definition)).collect();
        let added = orchestrator.backend().queue.enqueue(&jobs).await?;
        slices.iter().for_each(|slice| taken.take(slice));
        report.scanned += definition.symbols.len() as u64;
        report.gaps += gaps;
        report.slices_created += slices.len() as u64;
        report.jobs_dispatched += added.iter().flatten().count() as u64;
        report.requests += requests;
        report.least_requests += least_requests;
        report.in_flight |= is_in_flight || !slices.is_empty();
    }
    Ok(())
}

fn idle(report: &TickReport, definitions: &[Definition]) -> Option<Idle> {
    if report.jobs_dispatched > 0 {
        return None;
    }
    Some(if definitions.is_empty() {
        Idle::NothingEnabled
    } else if report.in_flight {
        Idle::InFlight
    } else if report.errors.is_empty() {
        Idle::NothingMissing
    } else {
        Idle::Errors
    })
}
