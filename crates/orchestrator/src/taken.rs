//! What must not be planned, though it is missing.

use std::collections::{HashMap, HashSet};

use barkeep_queue::{FinishedJob, JobId, LiveJob, LiveState};
use barkeep_types::{Series, TimeRange};
use chrono::{DateTime, TimeDelta, Utc};

use crate::progress::Unfilled;
use crate::{Backend, Result, SliceJob};

/// The most failures looked at.
const FAILURES: u32 = 10_000;

/// Time that is queued, running, put off, or failed since it was last excused; and series that the vendor refuses.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The slices that were queued or running.
    pub(crate) jobs: Vec<LiveJob>,
    live: HashMap<Series, Vec<TimeRange>>,
    put_off: HashMap<Series, Vec<TimeRange>>,
    failed: HashMap<Series, Vec<(TimeRange, Why)>>,
    rejected: HashMap<Series, Why>,
}

#[derive(Clone, Debug)]
struct Why {
    code: String,
    reason: String,
}

/// The failures that a run does not count against itself, and tries again.
#[derive(Debug, Default)]
pub(crate) enum Excused {
    /// None.
    #[default]
    None,
    /// Those from before it began.
    Known(HashSet<JobId>),
    /// Those that are this old.
    After(TimeDelta),
}

impl Excused {
    /// The failures there are by now.
    pub(crate) async fn so_far(backend: &Backend) -> Result<Self> {
        let failures = backend.inspect.failed(SliceJob::KIND, FAILURES).await?;
        Ok(Self::Known(failures.into_iter().map(|job| job.id).collect()))
    }

    fn covers(&self, job: &FinishedJob, now: DateTime<Utc>) -> bool {
        match self {
            Self::None => false,
            Self::Known(known) => known.contains(&job.id),
            Self::After(age) => now - job.finished_at >= *age,
        }
    }
}

impl Taken {
    pub(crate) async fn read(backend: &Backend, excused: &Excused) -> Result<Self> {
        let mut taken = Self::default();
        for kind in [SliceJob::KIND, SliceJob::RECHECK] {
            let live = backend.inspect.live(kind).await?;
            for job in &live {
                match SliceJob::read(&job.payload) {
                    Ok(slice) if kind == SliceJob::RECHECK && job.state == LiveState::Waiting => taken.put_off(&slice),
                    Ok(slice) => taken.take(&slice),
                    Err(error) => tracing::warn!(job = %job.id, %error, "a slice in the queue cannot be read"),
                }
            }
            if kind == SliceJob::KIND {
                taken.jobs = live;
            }
        }
        let failures = backend.inspect.failed(SliceJob::KIND, FAILURES).await?;
        let now = backend.inspect.now().await?;
        for job in failures.into_iter().filter(|job| !excused.covers(job, now)) {
            taken.fail(job);
        }
        for rejection in backend.rejections.rejections().await? {
            let why = Why { code: rejection.code, reason: rejection.reason };
            taken.rejected.insert(rejection.series, why);
        }
        Ok(taken)
    }

    /// Counts a slice as live.
    pub(crate) fn take(&mut self, slice: &SliceJob) {
        for series in slice.series() {
            self.live.entry(series).or_default().push(slice.range);
        }
    }

    /// Leaves to a later look what it is about, until its time has come: taken, but nothing to wait for.
    fn put_off(&mut self, slice: &SliceJob) {
        for series in slice.series() {
            self.put_off.entry(series).or_default().push(slice.range);
        }
    }

    fn fail(&mut self, job: FinishedJob) {
        let Ok(slice) = SliceJob::read(&job.payload) else { return };
        // A worker that died left no message.
        let died = || format!("workers died with it, or lost their leases, {} times", job.crashes);
        let why = Why { code: job.code.unwrap_or_default(), reason: job.message.unwrap_or_else(died) };
        for series in slice.series() {
            self.failed.entry(series).or_default().push((slice.range, why.clone()));
        }
    }

    /// Whether the vendor refuses the series.
    pub(crate) fn is_rejected(&self, series: &Series) -> bool {
        self.rejected.contains_key(series)
    }

    /// The time that is queued or running.
    pub(crate) fn live(&self, series: &Series) -> &[TimeRange] {
        self.live.get(series).map_or(&[], Vec::as_slice)
    }

    /// The time that is not asked for now: of slices that failed and are not tried again, and of those that are looked at
    /// again later.
    pub(crate) fn put_aside(&self, series: &Series) -> Vec<TimeRange> {
        let failed = self.failed.get(series).into_iter().flatten().map(|(range, _)| *range);
        failed.chain(self.put_off.get(series).into_iter().flatten().copied()).collect()
    }

    /// Why the vendor refuses the series, if it does: code and reason.
    pub(crate) fn refusal(&self, series: &Series) -> Option<(String, String)> {
        self.rejected.get(series).map(|why| (why.code.clone(), why.reason.clone()))
    }

    /// Why a series cannot be filled, if it cannot.
    pub(crate) fn unfilled(&self, series: &Series) -> Vec<Unfilled> {
        let rejected = self.rejected.get(series).into_iter();
        let failed = self.failed.get(series).into_iter().flatten().map(|(_, why)| why);
        let unfilled =
            |why: &Why| Unfilled { series: series.clone(), code: why.code.clone(), reason: why.reason.clone() };
        let mut unfilled: Vec<Unfilled> = rejected.chain(failed).map(unfilled).collect();
        // Slices that fail, fail alike.
        unfilled.dedup();
        unfilled
    }
}
