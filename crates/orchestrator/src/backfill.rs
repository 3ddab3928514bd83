//! A backfill: definitions, worked on until nothing is missing or nothing more can be done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use barkeep_catalog::Definition;
use barkeep_queue::Counts;
use barkeep_types::Series;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::cautious::WhenFull;
use crate::crew::with_workers;
use crate::dispatch::all_series;
use crate::progress::Unfilled;
use crate::taken::{Excused, Taken};
use crate::tick::{Idle, Round, TickReport};
use crate::ticked::tick;
use crate::{Error, Orchestrator, Result, SliceJob};

/// How often a backfill looks whether all slices are done.
const LOOK: Duration = Duration::from_millis(200);
/// How soon it looks once as many have ended here as it queued, the first time: by then the queue is told, mostly.
const TOLD: Duration = Duration::from_millis(10);
/// How often it plans anew although they are not: another process may have died.
const REPLAN: Duration = Duration::from_secs(60);
/// How soon it does once as many have ended, the first time: those that are left may be of others, who may have paused them.
const SOON: Duration = Duration::from_secs(1);

/// What a backfill came to. Slices, requests and bars are those of this process; others may have shared the work.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BackfillReport {
    /// Whether nothing is missing any more.
    pub complete: bool,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// The series asked for.
    pub series: u64,
    /// The gaps found.
    pub gaps: u64,
    /// The slices done.
    pub slices: u64,
    /// The requests made.
    pub requests: u64,
    /// No packing of the gaps could have taken fewer, if the vendor sends as much as the planner expects; never more than
    /// were made.
    pub least_requests: u64,
    /// The bars written.
    pub bars_written: u64,
    /// How many of them were there before, with other numbers: the vendor revised them.
    pub bars_revised: u64,
    /// The bars that could not be true, and went into quarantine.
    pub quarantined: u64,
    /// What could not be filled, and why.
    pub failed: Vec<Unfilled>,
    /// How long it took.
    pub elapsed_seconds: f64,
}

/// Runs workers and ticks until nothing is missing, nothing more can be done, or `stop` is cancelled.
pub(crate) async fn backfill(
    orchestrator: &Orchestrator,
    definitions: &[Definition],
    stop: &CancellationToken,
) -> Result<BackfillReport> {
    orchestrator.settings().check()?;
    let started = Instant::now();
    let before = orchestrator.progress().totals();
    let excused = Excused::so_far(orchestrator.backend()).await?;
    let is_missing = Notify::new();
    let planning = plan_until_done(orchestrator, definitions, &excused, &is_missing);
    // Where nothing is, nobody works: what is in the queue then is of others, and would be begun only to be dropped.
    let planned = with_workers(orchestrator, stop, WhenFull::Stop, is_missing.notified(), planning).await?;
    let interrupted = planned.is_none();
    let failed = unfilled(orchestrator, definitions, &excused).await?;
    let totals = orchestrator.progress().totals() - before;
    Ok(BackfillReport {
        complete: !interrupted && failed.is_empty(),
        interrupted,
        series: definitions.iter().map(|definition| definition.series().count() as u64).sum(),
        gaps: totals.gaps,
        slices: totals.slices,
        requests: totals.requests,
        least_requests: totals.least_requests.min(totals.requests),
        bars_written: totals.bars_written,
        bars_revised: totals.bars_revised,
        quarantined: totals.quarantined,
        failed,
        elapsed_seconds: started.elapsed().as_secs_f64(),
    })
}

/// Ticks, waits for the slices to be done, and ticks again, until a tick finds neither gaps nor work in flight; tells when
/// one does, or when that is not known.
async fn plan_until_done(
    orchestrator: &Orchestrator,
    definitions: &[Definition],
    excused: &Excused,
    is_missing: &Notify,
) -> Result<()> {
    let mut soon = SOON;
    loop {
        let before = *orchestrator.progress().ended().borrow();
        let mut slices = 0;
        match tick(orchestrator, Round { definitions, excused, reverifies: false }).await {
            Ok(report) if is_done(&report) => {
                let mut errors = report.errors.into_iter().map(|(_, error)| error);
                // Without reference data bars can be fetched all the same.
                return errors.find(|error| !matches!(error, Error::Reference(_))).map_or(Ok(()), Err);
            }
            Ok(report) => {
                slices = report.jobs_dispatched;
                soon = if slices > 0 { SOON } else { soon };
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(code = error.code(), %error, "tick failed; trying again");
            }
            Err(error) => return Err(error),
        }
        is_missing.notify_one();
        wait_for_slices(orchestrator, before + slices, soon).await;
        soon = REPLAN.min(soon * 2);
    }
}

/// Waits until the queue holds no slice, or it is time to plan anew. It looks now and then, as others may do slices too, and
/// once as many have ended here as are `expected` to have; from then on it waits no longer than `soon`.
async fn wait_for_slices(orchestrator: &Orchestrator, expected: u64, soon: Duration) {
    let mut until = Instant::now() + REPLAN;
    let mut ended = orchestrator.progress().ended();
    let mut told = TOLD;
    while Instant::now() < until {
        if timeout(LOOK, ended.wait_for(|ended| *ended >= expected)).await.is_ok() {
            if told == TOLD {
                until = until.min(Instant::now() + soon);
            }
            sleep(told).await;
            told = LOOK.min(told * 2);
        }
        let counts = orchestrator.backend().inspect.counts().await;
        if counts.is_ok_and(|counts| !is_any_live(&counts)) {
            break;
        }
    }
}

/// Whether slices are queued or running, those to be looked at again included once their time has come.
fn is_any_live(counts: &BTreeMap<String, Counts>) -> bool {
    let live = counts.get(SliceJob::KIND).map_or(0, Counts::live);
    let due = counts.get(SliceJob::RECHECK).map_or(0, |again| again.ready + again.running);
    live + due > 0
}

fn is_done(report: &TickReport) -> bool {
    report.idle.is_some_and(|idle| idle != Idle::LockHeld) && !report.in_flight
}

async fn unfilled(orchestrator: &Orchestrator, definitions: &[Definition], excused: &Excused) -> Result<Vec<Unfilled>> {
    let taken = Taken::read(orchestrator.backend(), excused).await?;
    let series: BTreeSet<Series> = definitions.iter().flat_map(all_series).collect();
    Ok(series.iter().flat_map(|series| taken.unfilled(series)).collect())
}

/// The summary for people.
impl fmt::Display for BackfillReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { series, gaps, slices, requests, least_requests, bars_written, elapsed_seconds, .. } = self;
        let headline = match (self.complete, self.interrupted, gaps) {
            (true, _, 0) => "nothing is missing",
            (true, _, _) => "complete",
            (false, true, _) => "interrupted; run again to resume",
            (false, false, _) => "incomplete",
        };
        writeln!(formatter, "{headline}")?;
        writeln!(formatter, "series        {series}")?;
        writeln!(formatter, "gaps found    {gaps}")?;
        writeln!(formatter, "slices done   {slices}")?;
        writeln!(formatter, "requests      {requests} (least possible: {least_requests})")?;
        writeln!(formatter, "bars written  {bars_written}")?;
        write!(formatter, "elapsed       {elapsed_seconds:.1} s")?;
        for Unfilled { series, code, reason } in &self.failed {
            write!(formatter, "\nnot filled: {series}: {code}: {reason}")?;
        }
        Ok(())
    }
}
