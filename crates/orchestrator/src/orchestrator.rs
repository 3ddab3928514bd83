use std::sync::Arc;

use barkeep_calendar::Calendar;
use barkeep_catalog::{Definition, Pattern};
use barkeep_notify::{Notifier, Reminders};
use barkeep_planner::Explanation;
use barkeep_provider::Provider;
use barkeep_queue::{JobId, Select};
use barkeep_types::Series;
use chrono::{DateTime, Utc};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::backfill::{BackfillReport, backfill};
use crate::costs::{costs, slice_cost};
use crate::forecast::forecast;
use crate::health::health;
use crate::look::look;
use crate::notify::notify;
use crate::progress::Progress;
use crate::run::{enabled, run};
use crate::self_check::self_check;
use crate::status::{explain, status};
use crate::taken::Excused;
use crate::tick::TickReport;
use crate::ticked::tick;
use crate::watching::{Watching, watched};
use crate::{
    Backend, Costs, Forecast, Health, Look, ProgressEvent, Result, Settings, SliceCost, SliceJob, Snapshot, Status,
};

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
    watching: Watching,
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
        Self {
            parts: Arc::new(Parts {
                provider,
                calendar,
                backend,
                settings,
                progress: Progress::new(),
                watching: Watching::default(),
            }),
        }
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
        tick(self, &enabled(self).await?, &Excused::None).await
    }

    /// Ticks and works unattended, over the catalog's enabled definitions, until `stop` is cancelled; then the slices in
    /// hand go back to the queue. Any number of processes may do so on one database.
    ///
    /// Slices that failed for good are tried again after [`Settings::retry_failed_after`]. Begins with a
    /// [self-check](Self::self_check), and looks at its own [`health`](Self::health) all the time.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`](crate::Error::Credentials), or a database that will not recover by itself.
    pub async fn run(&self, stop: &CancellationToken) -> Result<()> {
        watched(self, async {
            self.self_check().await?;
            run(self, stop).await
        })
        .await
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
        watched(self, backfill(self, definitions, stop)).await
    }

    /// How everything stands, over all processes that share the database.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn status(&self) -> Result<Status> {
        status(self).await
    }

    /// Why bars of a series are missing, or not, in the definition's window: in runs, earliest first. A slice that failed
    /// leaves its time missing; [`Orchestrator::status`] tells why it failed. Empty for a series that the definition does
    /// not name, or that the vendor refuses.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn explain(&self, definition: &Definition, series: &Series) -> Result<Vec<Explanation>> {
        explain(self, definition, series).await
    }

    /// Puts every slice that failed for good back into the queue, and returns how many.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn retry_failed(&self) -> Result<u64> {
        Ok(self.backend().control.retry_failed(&Select::all().of_kind(SliceJob::KIND)).await?)
    }

    /// Disables the definitions whose names match and cancels their slices: those that wait at once, those that run at
    /// their next heartbeat. Returns the names of the definitions that were enabled before. What is stored stays.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn cancel(&self, names: &Pattern) -> Result<Vec<String>> {
        let backend = self.backend();
        let disabled = backend.catalog.disable(names).await?;
        for name in &disabled {
            backend.control.cancel(&Select::all().of_kind(SliceJob::KIND).of_group(name)).await?;
        }
        Ok(disabled)
    }

    /// Whether all is well, over all processes, and what to do first if not. Never fails: a database that does not answer
    /// is a concern too.
    pub async fn health(&self) -> Health {
        health(self).await
    }

    /// How everything is doing at this moment: one statement, with a timeout; asked again soon after, the same as before.
    pub async fn look(&self) -> Look {
        look(self).await
    }

    /// Tells `notifier` of every concern of the [`health`](Self::health), once each and again as `reminders` says, until
    /// `stop` is cancelled; run it beside [`run`](Self::run), with a token that is cancelled after that has ended.
    pub async fn notify(&self, notifier: &dyn Notifier, reminders: Reminders, stop: &CancellationToken) {
        notify(self, notifier, reminders, stop).await;
    }

    /// What it would cost to fill these definitions, stored in the catalog or not: nothing is fetched, nothing queued.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`](crate::Error::Definition), or the database failed.
    pub async fn forecast(&self, definitions: &[Definition]) -> Result<Forecast> {
        forecast(self, definitions).await
    }

    /// What was spent, in requests, by day and definition, from the day of `since` on.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn costs(&self, since: DateTime<Utc>) -> Result<Costs> {
        costs(self, since).await
    }

    /// What one slice was expected to cost, and what it did cost; `None` if nobody knows it any more.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn slice_cost(&self, job: JobId) -> Result<Option<SliceCost>> {
        slice_cost(self, job).await
    }

    /// Whether the parts work together: asks the database for everything that is needed, and the vendor for one page of the
    /// first enabled definition. [`run`](Self::run) begins with it, before any slice is claimed.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`](crate::Error::Credentials) or [`Error::Vendor`](crate::Error::Vendor) for a vendor that cannot
    /// be used, or the database failed. A vendor that is out of order for now is only warned of.
    pub async fn self_check(&self) -> Result<()> {
        self_check(self).await
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

    pub(crate) fn watching(&self) -> &Watching {
        &self.parts.watching
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.parts.progress
    }
}
