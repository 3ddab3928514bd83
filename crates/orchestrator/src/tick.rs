//! One tick: what is missing becomes slices in the queue, by one planner at a time over all processes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use barkeep_catalog::Definition;
use barkeep_queue::Blocker;
use barkeep_types::Timeframe;
use chrono::TimeDelta;

use crate::clock::Moment;
use crate::dispatch::{Dispatched, dispatch};
use crate::planning::Planning;
use crate::rewritten::doubt_rewritten;
use crate::sample::Sample;
use crate::share::give_everybody_a_turn;
use crate::standing::Standing;
use crate::taken::{Excused, Taken};
use crate::tuning::refresh;
use crate::{Backend, Error, Orchestrator, Result, SliceJob, metrics};

/// How long who waits for it leaves it to others.
const TURN: Duration = Duration::from_millis(100);

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
    /// The empty answers that are asked for once more.
    pub rechecked: u64,
    /// The pieces of settled time that are asked for once more as a sample, each about a page.
    pub reverified: u64,
    /// The adjusted series that corporate actions have rewritten, and that are fetched anew.
    pub rewritten: u64,
    /// Whether slices of the definitions are queued or running, from this tick or before.
    pub in_flight: bool,
    /// The definitions that could not be planned, and why; the others were.
    pub errors: Vec<(String, Error)>,
    /// Why nothing was dispatched, if nothing was.
    pub idle: Option<Idle>,
    /// Why slices wait and none runs, if that is so and this tick added none.
    pub stalled: Option<Stalled>,
    /// By how much the host's clock is ahead of the database's, which counts.
    pub host_ahead: TimeDelta,
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

/// Why slices wait and none runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stalled {
    /// So many could be claimed, and nobody does: no worker is at work.
    NoWorker {
        /// How many.
        claimable: u64,
    },
    /// Something holds every one of them back.
    Blocked(Vec<Blocker>),
}

impl fmt::Display for Idle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NothingEnabled => "no definition is enabled",
            Self::LockHeld => "another planner is at work",
            Self::NothingMissing => "nothing is missing",
            Self::InFlight => "what is missing is under way",
            Self::Errors => "no definition could be planned",
        })
    }
}

/// What a tick is to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round<'a> {
    pub(crate) definitions: &'a [Definition],
    /// What failed and is not excused is left out.
    pub(crate) excused: &'a Excused,
    /// Whether a sample of what is settled is asked for again: not where somebody waits for the end.
    pub(crate) reverifies: bool,
}

/// Ticks.
pub(crate) async fn tick(orchestrator: &Orchestrator, round: Round<'_>) -> Result<TickReport> {
    let started = Instant::now();
    refresh(orchestrator).await?;
    let Some(planning) = Planning::begin(orchestrator).await? else {
        return Ok(TickReport { idle: Some(Idle::LockHeld), in_flight: true, ..TickReport::default() });
    };
    let planned = plan_all(orchestrator, round, &planning).await;
    planning.end().await?;
    let mut report = planned?;
    report.idle = idle(&report, round.definitions);
    report.duration = started.elapsed();
    Ok(report)
}

/// Plans one definition now: waits while another planner is at work.
pub(crate) async fn plan_one(orchestrator: &Orchestrator, definition: &Definition) -> Result<(Dispatched, Moment)> {
    let planning = loop {
        match Planning::begin(orchestrator).await? {
            Some(planning) => break planning,
            None => tokio::time::sleep(TURN).await,
        }
    };
    let planned = async {
        let moment = Moment::now(orchestrator).await?;
        let mut taken = Taken::read(orchestrator.backend(), &Excused::None).await?;
        Ok((dispatch(orchestrator, definition, &mut taken, moment).await?, moment))
    };
    let planned = planned.await;
    planning.end().await?;
    planned
}

async fn plan_all(orchestrator: &Orchestrator, round: Round<'_>, planning: &Planning<'_>) -> Result<TickReport> {
    let (backend, definitions) = (orchestrator.backend(), round.definitions);
    metrics::reaped(backend.queue.reap().await?);
    let moment = Moment::now(orchestrator).await?;
    moment.warn_of_skew();
    let mut report = TickReport { host_ahead: moment.host_ahead, ..TickReport::default() };
    match doubt_rewritten(orchestrator, definitions, moment).await {
        Ok(rewritten) => report.rewritten = rewritten,
        Err(error @ Error::Reference(_)) => report.errors.push(("corporate actions".to_owned(), error)),
        Err(error) => return Err(error),
    }
    let mut taken = Taken::read(backend, round.excused).await?;
    give_everybody_a_turn(backend, &taken.jobs).await?;
    let sample = if round.reverifies { Sample::due(orchestrator, moment).await? } else { None };
    for definition in definitions {
        if !planning.extend().await? {
            // Somebody else plans by now; what we enqueued so far stands.
            report.in_flight = true;
            break;
        }
        match dispatch(orchestrator, definition, &mut taken, moment).await {
            Ok(dispatched) => report.add(&dispatched),
            Err(error) if error.is_transient() || error.is_full() => return Err(error),
            Err(error) => {
                report.errors.push((definition.name.clone(), error));
                continue;
            }
        }
        if let Some(sample) = &sample {
            report.add_work(&sample.dispatch(orchestrator, definition, &mut taken, moment).await?);
        }
    }
    if let Some(sample) = &sample {
        sample.taken(orchestrator).await?;
    }
    if report.jobs_dispatched == 0 {
        report.stalled = stalled(backend).await?;
    }
    Ok(report)
}

async fn stalled(backend: &Backend) -> Result<Option<Stalled>> {
    let counts = backend.inspect.counts().await?.remove(SliceJob::KIND).unwrap_or_default();
    if counts.running > 0 || counts.live() == 0 {
        return Ok(None);
    }
    let outlook = backend.inspect.outlook(SliceJob::KIND).await?;
    Ok(match outlook.claimable {
        0 if outlook.blockers.is_empty() => None,
        0 => Some(Stalled::Blocked(outlook.blockers)),
        claimable => Some(Stalled::NoWorker { claimable }),
    })
}

impl TickReport {
    fn add(&mut self, dispatched: &Dispatched) {
        self.scanned += dispatched.series;
        self.add_work(dispatched);
        for (timeframe, standing) in &dispatched.standing {
            self.standing.entry(*timeframe).or_default().add(standing);
        }
    }

    fn add_work(&mut self, dispatched: &Dispatched) {
        self.gaps += dispatched.gaps;
        self.slices_created += dispatched.slices.len() as u64;
        self.jobs_dispatched += dispatched.jobs;
        self.requests += dispatched.requests;
        self.least_requests += dispatched.least_requests;
        self.rechecked += dispatched.rechecked;
        self.reverified += dispatched.reverified;
        self.in_flight |= dispatched.in_flight;
    }
}

fn idle(report: &TickReport, definitions: &[Definition]) -> Option<Idle> {
    if report.jobs_dispatched > 0 {
        return None;
    }
    Some(if definitions.is_empty() {
        Idle::NothingEnabled
    } else if report.in_flight {
        Idle::InFlight
    } else if report.errors.is_empty() || report.scanned > 0 {
        Idle::NothingMissing
    } else {
        Idle::Errors
    })
}
