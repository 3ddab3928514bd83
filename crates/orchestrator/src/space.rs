//! Whether the database has space left: who finds that it has none claims nothing for a while, then tries with one slice,
//! and goes on once that could be written.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use barkeep_queue::LeaseKey;
use serde_json::json;
use tokio::time::Instant;

use crate::look::{FREED, FULL, Trouble};
use crate::watching::note;
use crate::{Error, Orchestrator, ProgressEvent, in_one_line};

/// How long nothing is claimed at first; then twice as long each time, up to the longest. Each try may cost a request.
const FIRST: Duration = Duration::from_secs(1);
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// What this process last saw of the database's space.
#[derive(Debug, Default)]
pub(crate) struct Space {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    full: Option<Full>,
    /// The last pause, and when it was over: space that is gone again at once is no reason to be told every second.
    before: Option<(Duration, Instant)>,
}

#[derive(Debug)]
struct Full {
    since: Instant,
    pause: Duration,
    until: Instant,
    /// Slices found it, or a tick did: each learns by itself that it is over.
    by_work: bool,
    by_tick: bool,
    /// Whether endings of slices wait to be written.
    unwritten: bool,
    /// The slice that finds out whether it is over.
    trial: Option<LeaseKey>,
}

/// Who could not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A slice, or the claim of one.
    Work,
    /// The ending of a slice.
    Ending,
    /// The planner.
    Tick,
}

/// What it means that somebody could not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It was not known: nothing is claimed for so long.
    New(Duration),
    /// A try has failed: nothing is claimed for so long.
    Again(Duration),
    /// It is known, and nobody was to try.
    Known,
}

/// How many slices may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimable {
    Any,
    /// One, to find out whether there is space.
    One,
    None,
}

impl Space {
    fn missed_by(&self, writer: Writer) -> Found {
        let (mut state, now) = (self.lock(), Instant::now());
        let (mut full, found) = match state.full.take() {
            None => {
                let recent = state.before.filter(|(pause, over)| now < *over + 2 * *pause);
                let pause = recent.map_or(FIRST, |(pause, _)| longer(pause));
                (Full::for_the_first_time(now, pause), Found::New(pause))
            }
            Some(full) if now < full.until => (full, Found::Known),
            Some(full) => {
                let pause = longer(full.pause);
                (Full { pause, until: now + pause, trial: None, ..full }, Found::Again(pause))
            }
        };
        full.by_tick |= writer == Writer::Tick;
        full.by_work |= writer != Writer::Tick;
        full.unwritten |= writer == Writer::Ending;
        state.full = Some(full);
        found
    }

    pub(crate) fn claimable(&self) -> Claimable {
        match &self.lock().full {
            None => Claimable::Any,
            Some(full) if Instant::now() < full.until || full.trial.is_some() => Claimable::None,
            Some(_) => Claimable::One,
        }
    }

    /// One slice was claimed to try, or there was none. Answers how long the database was full, if that is over: nothing
    /// that found it so is left to be done.
    fn tried_with(&self, slice: Option<LeaseKey>) -> Option<Duration> {
        let mut state = self.lock();
        let full = state.full.as_mut()?;
        full.trial = slice;
        if slice.is_some() || full.unwritten {
            return None;
        }
        full.by_work = false;
        state.over_unless_somebody_waits()
    }

    /// A slice has stored bars, or its end: over, if it was the one to try.
    fn used_by(&self, slice: LeaseKey) -> Option<Duration> {
        let mut state = self.lock();
        let is_trial = state.full.as_ref().is_some_and(|full| full.trial == Some(slice));
        if is_trial { state.over() } else { None }
    }

    /// Endings of slices were written that stored nothing: another slice shall try.
    fn spared_by(&self, slices: &[LeaseKey]) {
        if let Some(full) = &mut self.lock().full {
            full.unwritten = false;
            full.trial = full.trial.filter(|trial| !slices.contains(trial));
        }
    }

    fn found_by_tick(&self) -> Option<Duration> {
        let mut state = self.lock();
        state.full.as_mut()?.by_tick = false;
        state.over_unless_somebody_waits()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn over(&mut self) -> Option<Duration> {
        let (full, now) = (self.full.take()?, Instant::now());
        self.before = Some((full.pause, now));
        Some(now - full.since)
    }

    fn over_unless_somebody_waits(&mut self) -> Option<Duration> {
        let waits = self.full.as_ref().is_some_and(|full| full.by_work || full.by_tick);
        if waits { None } else { self.over() }
    }
}

impl Full {
    fn for_the_first_time(since: Instant, pause: Duration) -> Self {
        let (by_work, by_tick, unwritten, trial) = (false, false, false, None);
        Self { since, pause, until: since + pause, by_work, by_tick, unwritten, trial }
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST)
}

/// Somebody could not write for want of space: nothing is claimed for a while.
pub(crate) async fn ran_out(orchestrator: &Orchestrator, writer: Writer, error: &Error) {
    let (code, reason) = (error.code().to_owned(), in_one_line(error));
    match orchestrator.space().missed_by(writer) {
        Found::Known => return,
        Found::New(pause) => {
            let pause_ms = pause.as_millis() as u64;
            tracing::error!(code, reason, pause_ms, "no space left; nothing is claimed until there is some");
            orchestrator.progress().tell(ProgressEvent::StorageFull { reason: reason.clone() });
        }
        Found::Again(pause) => {
            let pause_ms = pause.as_millis() as u64;
            tracing::debug!(code, reason, pause_ms, "still no space");
        }
    }
    // It takes no space where the last note stood. If it cannot be left all the same, this process knows at least.
    note(orchestrator, FULL, &json!(Trouble { code, reason })).await;
}

/// One slice was claimed to find out whether there is space, or there was none to be claimed.
pub(crate) async fn tried_with(orchestrator: &Orchestrator, slice: Option<LeaseKey>) {
    tell(orchestrator, orchestrator.space().tried_with(slice)).await;
}

/// A slice has stored something.
pub(crate) async fn used_by(orchestrator: &Orchestrator, slice: LeaseKey) {
    tell(orchestrator, orchestrator.space().used_by(slice)).await;
}

/// Endings of slices were written.
pub(crate) async fn ended(orchestrator: &Orchestrator, slices: &[LeaseKey], are_done: bool) {
    if are_done {
        for slice in slices {
            used_by(orchestrator, *slice).await;
        }
    }
    orchestrator.space().spared_by(slices);
}

/// A tick has written what it had to.
pub(crate) async fn ticked(orchestrator: &Orchestrator) {
    tell(orchestrator, orchestrator.space().found_by_tick()).await;
}

async fn tell(orchestrator: &Orchestrator, over: Option<Duration>) {
    let Some(after) = over else { return };
    tracing::info!(after_ms = after.as_millis() as u64, "there is space again; slices are claimed as before");
    orchestrator.progress().tell(ProgressEvent::StorageFreed { after });
    note(orchestrator, FREED, &json!(null)).await;
}

#[cfg(test)]
mod tests;
