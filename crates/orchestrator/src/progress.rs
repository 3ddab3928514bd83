use std::ops::Sub;
use std::sync::{Mutex, PoisonError};

use barkeep_types::{Series, Symbol, TimeRange, Timeframe};
use tokio::sync::broadcast;

/// Something that happened, for progress bars, notifiers and pages: all of them listen to the same stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ProgressEvent {
    /// A tick planned work.
    Planned {
        /// The gaps it found.
        gaps: u64,
        /// The slices it put into the queue.
        slices: u64,
        /// How many requests they are expected to take.
        requests: u64,
        /// No packing of the gaps could take fewer requests.
        least_requests: u64,
    },
    /// A worker began with a slice.
    SliceStarted {
        /// How many symbols it has.
        symbols: usize,
        /// Their timeframe.
        timeframe: Timeframe,
        /// The slice's time.
        range: TimeRange,
    },
    /// A page is in the store.
    PageCommitted {
        /// How many bars were written, new or revised.
        bars_written: u64,
    },
    /// Requests were answered, with a page or an error.
    Requested {
        /// How many.
        requests: u64,
    },
    /// A symbol was set aside.
    SymbolRejected {
        /// The symbol.
        symbol: Symbol,
        /// The stable code.
        code: &'static str,
        /// The vendor's reason.
        reason: String,
    },
    /// A slice is done.
    SliceDone {
        /// How many requests the planner expected.
        expected_requests: u64,
    },
    /// A slice failed and will be tried again.
    SliceRetrying {
        /// The stable code.
        code: String,
        /// Why.
        reason: String,
        /// Which try it was, from 1.
        attempt: u16,
    },
    /// A slice failed for good.
    SliceFailed {
        /// The stable code.
        code: String,
        /// Why.
        reason: String,
    },
}

/// Where progress is told, and summed up. Telling costs nothing when nobody listens; a slow listener misses events, and
/// nobody waits for it.
#[derive(Debug)]
pub(crate) struct Progress {
    listeners: broadcast::Sender<ProgressEvent>,
    totals: Mutex<Totals>,
}

/// What happened since the orchestrator was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) gaps: u64,
    pub(crate) slices: u64,
    pub(crate) requests: u64,
    pub(crate) least_requests: u64,
    pub(crate) bars_written: u64,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { listeners: broadcast::Sender::new(1024), totals: Mutex::default() }
    }

    pub(crate) fn tell(&self, event: ProgressEvent) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).add(&event);
        // An error says that nobody listens.
        let _ = self.listeners.send(event);
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ProgressEvent> {
        self.listeners.subscribe()
    }
}

impl Totals {
    fn add(&mut self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Planned { gaps, least_requests, .. } => {
                self.gaps += gaps;
                self.least_requests += least_requests;
            }
            ProgressEvent::Requested { requests } => self.requests += requests,
            ProgressEvent::PageCommitted { bars_written } => self.bars_written += bars_written,
            ProgressEvent::SliceDone { .. } => self.slices += 1,
            ProgressEvent::SliceStarted { .. }
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
            slices: self.slices - before.slices,
            requests: self.requests - before.requests,
            least_requests: self.least_requests - before.least_requests,
            bars_written: self.bars_written - before.bars_written,
        }
    }
}

/// A series that could not be filled, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unfilled {
    /// The series.
    #[serde(flatten)]
    pub series: Series,
    /// The stable code.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}
