use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use barkeep_calendar::{Always, Calendar};
use barkeep_catalog::{Definition, Pattern};
use barkeep_notify::{Notifier, Reminders};
use barkeep_planner::Explanation;
use barkeep_provider::Provider;
use barkeep_queue::{Bell, JobId, Select};
use barkeep_types::{Hours, Series, Symbol, TimeRange};
use chrono::{DateTime, Utc};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::backfill::{BackfillReport, backfill};
use crate::batch::batch;
use crate::costs::{costs, slice_cost};
use crate::ensure::{ensure_coverage, watch};
use crate::forecast::forecast;
use crate::health::health;
use crate::look::look;
use crate::notify::notify;
use crate::planning::Abandoned;
use crate::progress::Progress;
use crate::repair::repair;
use crate::run::{enabled, run};
use crate::self_check::self_check;
use crate::space::Space;
use crate::status::{explain, status};
use crate::taken::Excused;
use crate::tick::{Round, TickReport};
use crate::ticked::tick;
use crate::tuning::tune;
use crate::watching::{Watching, watched};
use crate::{
    Backend, BatchReport, Costs, Ensured, Forecast, Health, Look, ProgressEvent, Reference, Repair, RepairReport,
    Result, Settings, SliceCost, SliceJob, Snapshot, Status, Tunable, rewritten,
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
    reference: Option<Arc<dyn Reference>>,
    backend: Backend,
    started_with: Settings,
    /// Those it was started with, and what was set for all since.
    settings: RwLock<Arc<Settings>>,
    progress: Progress,
    watching: Watching,
    /// Wakes this process' worker when slices are put into the queue here.
    bell: Bell,
    space: Space,
    abandoned: Abandoned,
    /// When the vendor last told of corporate actions.
    actions_at: Mutex<Option<Instant>>,
    /// Symbols that the vendor said it lists.
    listed: Mutex<HashSet<Symbol>>,
}

impl Parts {
    fn new(provider: Arc<dyn Provider>, calendar: Arc<dyn Calendar>, backend: Backend, settings: Settings) -> Self {
        let (reference, progress, watching) = (None, Progress::new(), Watching::default());
        let (started_with, settings) = (settings.clone(), RwLock::new(Arc::new(settings)));
        let (actions_at, listed) = (Mutex::default(), Mutex::default());
        let (bell, space, abandoned) = (Bell::new(), Space::default(), Abandoned::default());
        Self {
            provider,
            calendar,
            reference,
            backend,
            started_with,
            settings,
            progress,
            watching,
            bell,
            space,
            abandoned,
            actions_at,
            listed,
        }
    }
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
        let parts = Parts::new(Arc::new(provider), Arc::new(calendar), backend, settings);
        Self { parts: Arc::new(parts) }
    }

    /// Asks the vendor which symbols there are, and what rewrote adjusted series. Alpaca's client can tell:
    ///
    /// ```
    /// # use barkeep_orchestrator::{Backend, Orchestrator, alpaca::Alpaca, calendar::Nyse};
    /// fn compose(alpaca: Alpaca, backend: Backend) -> Orchestrator {
    ///     Orchestrator::new(alpaca.clone(), Nyse, backend).with_reference(alpaca)
    /// }
    /// ```
    ///
    /// To be said first: handles that were cloned before go without.
    #[must_use]
    pub fn with_reference(self, reference: impl Reference) -> Self {
        let Parts { provider, calendar, backend, started_with, .. } = &*self.parts;
        let parts = Parts::new(Arc::clone(provider), Arc::clone(calendar), backend.clone(), started_with.clone());
        Self { parts: Arc::new(Parts { reference: Some(Arc::new(reference)), ..parts }) }
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
        self.settings().check()?;
        let definitions = enabled(self).await?;
        tick(self, Round { definitions: &definitions, excused: &Excused::None, reverifies: false }).await
    }

    /// Ticks and works unattended, over the catalog's enabled definitions, until `stop` is cancelled; then the slices in
    /// hand go back to the queue. Any number of processes may do so on one database.
    ///
    /// Begins with a [self-check](Self::self_check), and looks at its own [`health`](Self::health) all the time. Slices that
    /// failed for good are tried again after [`Settings::retry_failed_after`]. A database that has no space left is waited
    /// for: nothing is claimed, but for a slice now and then that tries, and it goes on by itself once there is space.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`](crate::Error::Credentials), or a database that will not recover by itself.
    pub async fn run(&self, stop: &CancellationToken) -> Result<()> {
        watched(self, run(self, stop)).await
    }

    /// Fills `definitions`, stored in the catalog or not, until nothing is missing, nothing more can be done, or `stop` is
    /// cancelled; then the slices in hand go back to the queue and the next run resumes.
    ///
    /// Slices that failed in an earlier run are tried again.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`](crate::Error::Credentials), [`Error::Definition`](crate::Error::Definition), or a database
    /// that will not recover by itself, such as one that has no space left. What single slices fail with is in the report.
    pub async fn backfill(&self, definitions: &[Definition], stop: &CancellationToken) -> Result<BackfillReport> {
        watched(self, backfill(self, definitions, stop)).await
    }

    /// Stores a definition, puts what it lacks into the queue, and says what that comes to: batches, requests, and what
    /// asking for many symbols at once saves. The same again adds nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`](crate::Error::Definition) or [`Error::Batch`](crate::Error::Batch) if it cannot be kept filled,
    /// [`Error::Catalog`](crate::Error::Catalog) if it would narrow the stored one, or the database failed; nothing is
    /// stored or enqueued then.
    pub async fn batch(&self, definition: &Definition) -> Result<BatchReport> {
        batch(self, definition).await
    }

    /// Sees to it that a series gets filled over `window`, in regular hours, and says how far that has come: ask again for
    /// how it goes on. A definition of its own is made if no enabled one covers it, and widened if it is asked for more.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSymbol`](crate::Error::UnknownSymbol) if the vendor can tell ([`Orchestrator::with_reference`]),
    /// [`Error::Refused`](crate::Error::Refused) if it refuses the series, or the database failed.
    pub async fn ensure_coverage(&self, series: &Series, window: TimeRange) -> Result<Ensured> {
        ensure_coverage(self, series, window).await
    }

    /// Keeps symbols filled that somebody looks at: `m15`, `h1` and `h4` over the last 30 days, `d1` and `w1` over the last
    /// 730, before what has a lower priority than 150. Returns the names of the two definitions, which grow with every call.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSymbol`](crate::Error::UnknownSymbol) for the first symbol that the vendor does not list, if it can
    /// tell, or the database failed.
    pub async fn watch(&self, symbols: &[Symbol]) -> Result<[String; 2]> {
        watch(self, symbols).await
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

    /// Looks for bars that other hands brought into the store and that cannot stay: impossible ones, doubles, and such of
    /// closed time; and, unless it is a dry run, moves them into quarantine. Reads every bar, and takes as long as that takes.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn repair(&self, how: Repair) -> Result<RepairReport> {
        repair(self, how).await
    }

    /// Puts every slice that failed for good back into the queue, and returns how many.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn retry_failed(&self) -> Result<u64> {
        let retried = self.backend().control.retry_failed(&Select::all().of_kind(SliceJob::KIND)).await?;
        self.bell().ring();
        Ok(retried)
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
            for kind in [SliceJob::KIND, SliceJob::RECHECK] {
                backend.control.cancel(&Select::all().of_kind(kind).of_group(name)).await?;
            }
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

    /// How it works: as it was started, but for what was set for all processes by [`Orchestrator::tune`].
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.parts.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes a setting for all processes while they run, in the name of `by`; with `None` each goes back to what it was
    /// started with. Processes that run take it over within seconds.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::Error::Setting) if the value is out of range, or the database failed.
    pub async fn tune(&self, what: Tunable, value: Option<u32>, by: &str) -> Result<()> {
        tune(self, what, value, by).await
    }

    pub(crate) fn started_with(&self) -> &Settings {
        &self.parts.started_with
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        *self.parts.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    pub(crate) fn provider(&self) -> &dyn Provider {
        &*self.parts.provider
    }

    pub(crate) fn calendar(&self) -> &dyn Calendar {
        &*self.parts.calendar
    }

    /// When bars of these hours trade.
    pub(crate) fn calendar_for(&self, hours: Hours) -> &dyn Calendar {
        match hours {
            Hours::Regular | Hours::Extended => self.calendar(),
            Hours::Always => &Always,
        }
    }

    pub(crate) fn reference(&self) -> Option<&dyn Reference> {
        self.parts.reference.as_deref()
    }

    /// Symbols that the vendor said it lists, so that it is not asked again.
    pub(crate) fn listed(&self) -> MutexGuard<'_, HashSet<Symbol>> {
        self.parts.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_time_to_ask_for_actions(&self) -> bool {
        let asked_at = *self.parts.actions_at.lock().unwrap_or_else(PoisonError::into_inner);
        asked_at.is_none_or(|asked_at| asked_at.elapsed() >= rewritten::EVERY)
    }

    pub(crate) fn asked_for_actions(&self) {
        *self.parts.actions_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.parts.bell
    }

    pub(crate) fn watching(&self) -> &Watching {
        &self.parts.watching
    }

    pub(crate) fn abandoned(&self) -> &Abandoned {
        &self.parts.abandoned
    }

    pub(crate) fn space(&self) -> &Space {
        &self.parts.space
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.parts.progress
    }
}
