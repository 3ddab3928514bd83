use std::collections::HashSet;
use std::sync::Arc;

use barkeep_calendar::Calendar;
use barkeep_catalog::Definition;
use barkeep_provider::Provider;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::backfill::{BackfillReport, backfill};
use crate::progress::Progress;
use crate::tick::{TickReport, tick};
use crate::{Backend, ProgressEvent, Result, Settings, Snapshot};

/// Keeps bars complete: finds what is missing, fetches it, and stores it, over any number of processes that share a
/// database. A clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    provider: Arc<dyn Provider>,
    calendar: Arc<dyn Calendar>,
    backend: Backend,
    settings: Settings,
    progress: Progress,
}

impl Orchestrator {
    /// Composes an orchestrator with the default settings: bars of `provider`, for a market that trades by `calendar`,
    /// kept in `backend`.
    ///
    /// Definitions for [`Hours::Always`](barkeep_types::Hours::Always) do without the calendar.
    pub fn new(provider: impl Provider, calendar: impl Calendar + 'static, backend: Backend) -> Self {
        Self::with_settings(provider, calendar, backend, Settings::default())
    }

    /// Composes an orchestrator with other settings.
    pub fn with_settings(
        provider: impl Provider,
        calendar: impl Calendar + 'static,
        backend: Backend,
        settings: Settings,
    ) -> Self {
        let (provider, calendar) = (Arc::new(provider), Arc::new(calendar));
        Self { parts: Arc::new(Parts { provider, calendar, backend, settings, progress: Progress::new() }) }
    }

    /// Looks once at every enabled definition and puts what is missing into the queue, for workers of any process.
    ///
    /// A definition that fails is reported and the others go on. One planner ticks at a time; the others report
    /// [`Idle::LockHeld`](crate::Idle::LockHeld).
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn tick(&self) -> Result<TickReport> {
        let definitions: Vec<Definition> =
            self.backend().catalog.list().await?.into_iter().filter(|definition| definition.enabled).collect();
        tick(self, &definitions, &HashSet::new()).await
    }

    /// Fills `definitions`, stored in the catalog or not, until nothing is missing, nothing more can be done, or `stop` is
    /// cancelled; then the slices in hand go back to the queue and the next run resumes.
    ///
    /// Slices that failed in an earlier run are tried again.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`](crate::Error::Credentials), [`Error::Definition`](crate::Error::Definition), or a database
    /// that will not recover by itself. What single slices fail with is in the report.
    pub async fn backfill(&self, definitions: &[Definition], stop: &CancellationToken) -> Result<BackfillReport> {
        backfill(self, definitions, stop).await
    }

    /// Listens to what happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ProgressEvent> {
        self.progress().subscribe()
    }

    /// How far this process has come.
    pub fn snapshot(&self) -> Snapshot {
        self.progress().snapshot()
    }

    /// Where state lives.
    pub fn backend(&self) -> &Backend {
        &self.parts.backend
    }

    /// How it works.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    pub(crate) fn provider(&self) -> &dyn Provider {
        &*self.parts.provider
    }

    pub(crate) fn calendar(&self) -> &dyn Calendar {
        &*self.parts.calendar
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.parts.progress
    }
}
