use std::fmt;
use std::ops::Sub;
use std::time::Duration;

use crate::ProgressEvent;

/// How far this process has come since its orchestrator was made. Displayed as one line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What was planned and done.
    pub totals: Totals,
    /// How long it has taken.
    pub elapsed: Duration,
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
            ProgressEvent::PageCommitted { bars_written, bars_revised, quarantined } => {
                self.bars_written += bars_written;
                self.bars_revised += bars_revised;
                self.quarantined += quarantined;
            }
            ProgressEvent::SliceDone { .. } => self.slices += 1,
            ProgressEvent::SliceStarted { .. }
            | ProgressEvent::SliceLost
            | ProgressEvent::SymbolRejected { .. }
            | ProgressEvent::SliceRetrying { .. }
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
        }
    }
}

impl Snapshot {
    /// Requests a second, so far.
    pub fn requests_a_second(&self) -> f64 {
        self.totals.requests as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// How long the planned slices will take at the rate so far; `None` before there is one, or if nothing is left.
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.totals.slices_planned.checked_sub(self.totals.slices).filter(|left| *left > 0)?;
        let a_slice = self.elapsed.checked_div(u32::try_from(self.totals.slices).ok()?)?;
        Some(a_slice.saturating_mul(u32::try_from(left).ok()?))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { slices, slices_planned, requests, bars_written, .. } = self.totals;
        write!(formatter, "{slices}/{slices_planned} slices, {bars_written} bars, {requests} requests")?;
        write!(formatter, " ({:.1}/s)", self.requests_a_second())?;
        match self.remaining() {
            Some(remaining) => write!(formatter, ", {} s to go", remaining.as_secs() + 1),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_tells_rate_and_remaining_time() {
        let totals = Totals { slices_planned: 10, slices: 4, requests: 30, bars_written: 5000, ..Totals::default() };
        let snapshot = Snapshot { totals, elapsed: Duration::from_secs(20) };
        assert_eq!(snapshot.to_string(), "4/10 slices, 5000 bars, 30 requests (1.5/s), 31 s to go");
    }

    #[test]
    fn nothing_is_foretold_before_the_first_slice_or_after_the_last() {
        for slices in [0, 10, 11] {
            let totals = Totals { slices_planned: 10, slices, ..Totals::default() };
            assert_eq!(Snapshot { totals, elapsed: Duration::from_secs(20) }.remaining(), None);
        }
    }
}
