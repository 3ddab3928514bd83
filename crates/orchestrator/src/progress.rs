use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use barkeep_store::Committed;
use barkeep_types::{Series, Symbol, TimeRange, Timeframe};
use tokio::sync::{broadcast, watch};

use crate::pace::Paces;
use crate::snapshot::{Snapshot, Totals};
use crate::{Clock, Health, metrics};

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
        /// The timeframe of its bars.
        timeframe: Timeframe,
        /// How many bars were written, new or revised.
        bars_written: u64,
        /// How many of them were there before, with other numbers.
        bars_revised: u64,
        /// How many bars could not be true and went into quarantine.
        quarantined: u64,
        /// How many came twice within the page.
        doubled: u64,
        /// How many were outside of what was asked, and not stored.
        dropped: u64,
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
        /// How many it took, this try.
        requests: u64,
        /// How long this try took.
        elapsed: Duration,
    },
    /// A slice goes back to the queue through no fault of its own, and uses up no attempt.
    SliceDelayed {
        /// The stable code: the vendor's limit, or our own database's outage.
        code: String,
        /// For how long.
        wait: Duration,
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
    /// An error made further work pointless: this process stops.
    Stopped {
        /// The stable code.
        code: String,
        /// Why.
        reason: String,
    },
    /// The database has no space left: this process claims no slice until there is some.
    StorageFull {
        /// Why, for people.
        reason: String,
    },
    /// The database has space again: slices are claimed as before.
    StorageFreed {
        /// How long it had none.
        after: Duration,
    },
    /// Other rules than before find something wrong, or none does any more.
    HealthChanged(Health),
}

impl ProgressEvent {
    /// A page of this timeframe was stored.
    pub(crate) fn committed(timeframe: Timeframe, committed: &Committed) -> Self {
        Self::PageCommitted {
            timeframe,
            bars_written: committed.written(),
            bars_revised: committed.revised,
            quarantined: committed.refused,
            doubled: committed.doubled,
            dropped: committed.dropped,
        }
    }
}

/// Where progress is told, and summed up. Telling costs nothing when nobody listens; a slow listener misses events, and
/// nobody waits for it.
#[derive(Debug)]
pub(crate) struct Progress {
    listeners: broadcast::Sender<ProgressEvent>,
    totals: Mutex<Totals>,
    paces: Mutex<Paces>,
    /// How many slices were done, or failed for good.
    ended: watch::Sender<u64>,
    started: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            listeners: broadcast::Sender::new(1024),
            totals: Mutex::default(),
            paces: Mutex::default(),
            ended: watch::Sender::default(),
            started: Instant::now(),
        }
    }

    pub(crate) fn tell(&self, event: ProgressEvent) {
        metrics::happened(&event);
        let totals = {
            let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.add(&event);
            *totals
        };
        match event {
            ProgressEvent::Requested { .. } => self.paces().add(self.started.elapsed(), totals.requests),
            ProgressEvent::SliceDone { .. } => {
                metrics::succeeded_at(Clock::host_now());
                self.ended.send_modify(|ended| *ended += 1);
            }
            ProgressEvent::SliceFailed { .. } => self.ended.send_modify(|ended| *ended += 1),
            _ => {}
        }
        // An error says that nobody listens.
        let _ = self.listeners.send(event);
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let (totals, elapsed) = (self.totals(), self.started.elapsed());
        let pace = self.paces().range(elapsed, totals.requests);
        Snapshot { totals, elapsed, pace }
    }

    fn paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many slices this process has brought to an end, so far and from now on. The queue may yet have to be told of the
    /// last ones.
    pub(crate) fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
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
