use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use barkeep_types::{Series, Symbol, TimeRange, Timeframe};
use tokio::sync::broadcast;

use crate::snapshot::{Snapshot, Totals};

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
        /// No packing of the gaps could take fewer, if the vendor sends as much as expected.
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
        /// How many of them were there before, with other numbers.
        bars_revised: u64,
        /// How many bars could not be true and went into quarantine.
        quarantined: u64,
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
    /// A worker was too slow, or cut off, and another one has its slice: nothing more of it was written here.
    SliceLost,
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
    started: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { listeners: broadcast::Sender::new(1024), totals: Mutex::default(), started: Instant::now() }
    }

    pub(crate) fn tell(&self, event: ProgressEvent) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).add(&event);
        // An error says that nobody listens.
        let _ = self.listeners.send(event);
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { totals: self.totals(), elapsed: self.started.elapsed() }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ProgressEvent> {
        self.listeners.subscribe()
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
