use std::fmt;
use std::ops::{RangeInclusive, Sub};
use std::time::Duration;

use crate::ProgressEvent;

/// How far this process has come since its orchestrator was made. Displayed as one line for people.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What was planned and done.
    pub totals: Totals,
    /// How long it has taken.
    pub elapsed: Duration,
    /// Requests a second: the slowest and the fastest pace of late. `None` before there is one.
    pub pace: Option<(f64, f64)>,
}

/// What was planned and done, in sums. Work planned here may be done by other processes, and the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Gaps found.
    pub gaps: u64,
    /// Slices put into the queue.
    pub slices_planned: u64,
    /// Slices done.
    pub slices: u64,
    /// Requests that the planned slices are expected to take.
    pub requests_planned: u64,
    /// No packing of the gaps could take fewer, if the vendor sends as much as expected.
    pub least_requests: u64,
    /// Requests made.
    pub requests: u64,
    /// Bars written.
    pub bars_written: u64,
    /// Bars written that were there before, with other numbers.
    pub bars_revised: u64,
    /// Bars that could not be true, and went into quarantine.
    pub quarantined: u64,
    /// Requests that the slices done were expected to take.
    pub requests_expected: u64,
    /// Requests that the slices done did take.
    pub requests_done: u64,
    /// Slices given back because the vendor refused a request as too many.
    pub limited: u64,
    /// Whether an error made further work pointless, and which.
    pub stopped: Option<StoppedBy>,
    /// Whether nothing is claimed, since the database has no space left.
    pub storage_full: bool,
}

/// What made further work pointless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoppedBy {
    /// The vendor refuses the credentials.
    Credentials,
    /// The database has no space left.
    StorageFull,
    /// The database cannot be used as it is: something in it is missing or damaged, or may not be touched.
    Database,
    /// Something else.
    Other,
}

impl StoppedBy {
    /// By the stable code of the error.
    pub(crate) fn of(code: &str) -> Self {
        match code {
            "AUTHENTICATION_ERROR" => Self::Credentials,
            "STORAGE_FULL" => Self::StorageFull,
            "SCHEMA_DRIFT"
            | "DATABASE_UNREADABLE"
            | "DATABASE_DAMAGED"
            | "NOT_A_DATABASE"
            | "DATABASE_ACCESS_DENIED"
            | "DATABASE_FAILED"
            | "NEWER_SCHEMA"
            | "CORRUPT_DATA" => Self::Database,
            _ => Self::Other,
        }
    }
}

impl Totals {
    pub(crate) fn add(&mut self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Planned { gaps, slices, requests, least_requests } => {
                self.gaps += gaps;
                self.slices_planned += slices;
                self.requests_planned += requests;
                self.least_requests += least_requests;
            }
            ProgressEvent::Requested { requests } => self.requests += requests,
            ProgressEvent::PageCommitted { bars_written, bars_revised, quarantined, .. } => {
                self.bars_written += bars_written;
                self.bars_revised += bars_revised;
                self.quarantined += quarantined;
            }
            ProgressEvent::SliceDone { expected_requests, requests, .. } => {
                self.slices += 1;
                self.requests_expected += expected_requests;
                self.requests_done += requests;
            }
            ProgressEvent::SliceDelayed { code, .. } if code == "RATE_LIMIT_EXCEEDED" => self.limited += 1,
            ProgressEvent::Stopped { code, .. } => self.stopped = Some(StoppedBy::of(code)),
            ProgressEvent::StorageFull { .. } => self.storage_full = true,
            ProgressEvent::StorageFreed { .. } => self.storage_full = false,
            ProgressEvent::SliceStarted { .. }
            | ProgressEvent::SliceLost
            | ProgressEvent::SymbolRejected { .. }
            | ProgressEvent::SliceRetrying { .. }
            | ProgressEvent::SliceDelayed { .. }
            | ProgressEvent::HealthChanged(_)
            | ProgressEvent::SliceFailed { .. } => {}
        }
    }
}

impl Sub for Totals {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            gaps: self.gaps - before.gaps,
            slices_planned: self.slices_planned - before.slices_planned,
            slices: self.slices - before.slices,
            requests_planned: self.requests_planned - before.requests_planned,
            least_requests: self.least_requests - before.least_requests,
            requests: self.requests - before.requests,
            bars_written: self.bars_written - before.bars_written,
            bars_revised: self.bars_revised - before.bars_revised,
            quarantined: self.quarantined - before.quarantined,
            requests_expected: self.requests_expected - before.requests_expected,
            requests_done: self.requests_done - before.requests_done,
            limited: self.limited - before.limited,
            stopped: self.stopped,
            storage_full: self.storage_full,
        }
    }
}

impl Snapshot {
    /// Requests a second, so far.
    pub fn requests_a_second(&self) -> f64 {
        self.totals.requests as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// Requests that the planned slices will still take, as expected.
    pub fn remaining_requests(&self) -> u64 {
        self.totals.requests_planned.saturating_sub(self.totals.requests_expected)
    }

    /// How long the planned slices will take: the least and the most, by the fastest and the slowest pace of late, and by how
    /// well requests were foretold so far. `None` before there is a pace, or if nothing is left.
    pub fn remaining(&self) -> Option<RangeInclusive<Duration>> {
        let left = Some(self.remaining_requests()).filter(|left| *left > 0)? as f64;
        let (slowest, fastest) = self.pace?;
        let Totals { requests_expected, requests_done, .. } = self.totals;
        let foretold = if requests_expected == 0 { 1.0 } else { requests_done as f64 / requests_expected as f64 };
        let seconds = |requests: f64, pace: f64| Duration::try_from_secs_f64(requests / pace).ok();
        Some(seconds(left * foretold.min(1.0), fastest)?..=seconds(left * foretold.max(1.0), slowest)?)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { slices, slices_planned, requests, bars_written, .. } = self.totals;
        write!(formatter, "{slices}/{slices_planned} slices, {bars_written} bars, {requests} requests")?;
        write!(formatter, " ({:.1}/s)", self.requests_a_second())?;
        match self.remaining() {
            Some(remaining) => {
                let (least, most) = (remaining.start().as_secs() + 1, remaining.end().as_secs() + 1);
                match least == most {
                    true => write!(formatter, ", {most} s to go"),
                    false => write!(formatter, ", {least} to {most} s to go"),
                }
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(requests_planned: u64, requests_expected: u64, requests_done: u64) -> Snapshot {
        let totals = Totals {
            slices_planned: 10,
            slices: 4,
            requests: 30,
            bars_written: 5000,
            requests_planned,
            requests_expected,
            requests_done,
            ..Totals::default()
        };
        Snapshot { totals, elapsed: Duration::from_secs(20), pace: Some((1.0, 2.0)) }
    }

    #[test]
    fn a_snapshot_tells_rate_and_remaining_time_as_a_range() {
        let text = "4/10 slices, 5000 bars, 30 requests (1.5/s)";
        assert_eq!(snapshot(100, 40, 40).to_string(), format!("{text}, 31 to 61 s to go"));
        let steady = Snapshot { pace: Some((2.0, 2.0)), ..snapshot(100, 40, 40) };
        assert_eq!(steady.to_string(), format!("{text}, 31 s to go"));
        let unknown = Snapshot { pace: None, ..snapshot(100, 40, 40) };
        assert_eq!(unknown.to_string(), text);
    }

    #[test]
    fn requests_that_were_foretold_badly_widen_the_range() {
        let seconds = |snapshot: Snapshot| {
            let range = snapshot.remaining().unwrap();
            (range.start().as_secs(), range.end().as_secs())
        };
        assert_eq!(seconds(snapshot(100, 40, 40)), (30, 60));
        assert_eq!(seconds(snapshot(100, 40, 20)), (15, 60));
        assert_eq!(seconds(snapshot(100, 40, 80)), (30, 120));
    }

    #[test]
    fn nothing_is_foretold_before_the_first_request_or_after_the_last_slice() {
        assert_eq!(Snapshot { pace: None, ..snapshot(10, 0, 0) }.remaining(), None);
        assert_eq!(snapshot(10, 10, 10).remaining(), None);
        assert_eq!(snapshot(10, 11, 11).remaining(), None);
    }
}
