//! What a worker does with a slice, and how the queue is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use barkeep_provider::Retry;
use barkeep_queue::{Ending, Job, Start, Then, Work, Worker};
use barkeep_store::Guard;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::build_slice::build_slice;
use crate::cautious::{Cautious, WhenFull};
use crate::fetch_slice::fetch_slice;
use crate::outcome::{Done, Failed};
use crate::space::Writer;
use crate::{Error, Orchestrator, ProgressEvent, SliceJob, UnreadableSlice, in_one_line, metrics};

/// How long to stay away from a vendor that limits us and does not say for how long.
const LIMITED: Duration = Duration::from_secs(15);
/// How long to stay away from our own database when it is out.
const OUTAGE: Duration = Duration::from_secs(5);
/// How long a slice waits for somebody who can read it.
const UNREADABLE: Duration = Duration::from_secs(60);

/// An error that makes further work pointless: it stops the workers, and whoever runs them.
#[derive(Clone, Debug)]
pub(crate) struct Fatal {
    error: Arc<Mutex<Option<Error>>>,
    stop: CancellationToken,
}

impl Fatal {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { error: Arc::default(), stop }
    }

    pub(crate) fn happened(&self, error: Error) {
        // The first one counts.
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stop.cancel();
    }

    /// The error, if there was one. Taken rather than waited for: a worker's last task may still hold on to this.
    pub(crate) fn take(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// This process' worker: it fetches up to as many slices at once as the settings say.
pub(crate) fn worker(orchestrator: &Orchestrator, when_full: WhenFull, fatal: &Fatal) -> Worker {
    let settings = orchestrator.settings();
    let backend = orchestrator.backend();
    let queue = Arc::clone(&backend.queue);
    let queue = Cautious { queue, orchestrator: orchestrator.clone(), when_full, fatal: fatal.clone() };
    let heartbeats = Arc::clone(backend.heartbeats.as_ref().unwrap_or(&backend.queue));
    let heartbeats = Cautious { queue: heartbeats, ..queue.clone() };
    let slices = Slices { orchestrator: orchestrator.clone(), queue: queue.clone(), fatal: fatal.clone() };
    Worker::new(Arc::new(queue), SliceJob::KIND, slices)
        .with_heartbeats_on(Arc::new(heartbeats))
        .with_kind(SliceJob::RECHECK)
        .with_name(&settings.name)
        .with_concurrency(settings.workers)
        .with_lease(settings.lease)
        .with_bell(orchestrator.bell())
        .with_poll(settings.poll.min(Duration::from_millis(50)), settings.poll)
}

struct Slices {
    orchestrator: Orchestrator,
    queue: Cautious,
    fatal: Fatal,
}

#[async_trait]
impl Work for Slices {
    async fn work(&self, job: Job) -> Ending {
        let slice = match SliceJob::read(&job.payload) {
            Ok(slice) => slice,
            Err(error @ UnreadableSlice::Newer(_)) => {
                tracing::warn!(job = %job.id, %error, "left to a newer worker; upgrade this one");
                return job.snoozed(UNREADABLE).into();
            }
            Err(error) => return self.failed(&job, &Failed::Payload(error), Then::Discard),
        };
        if job.kind == SliceJob::RECHECK {
            // Its time has come: into the queue with the others, and under their limits.
            let slice = slice.job_of(SliceJob::KIND, job.priority, job.group.as_deref());
            return job.done().with_rest(vec![slice]).into();
        }
        metrics::claimed(job.waited);
        let span = span(&job, &slice);
        self.slice(&job, &slice).instrument(span).await
    }
}

/// What every line in the log about a slice stands under.
fn span(job: &Job, slice: &SliceJob) -> tracing::Span {
    let definition = job.group.as_deref().unwrap_or_default();
    let (timeframe, range, symbols) = (slice.timeframe, slice.range, slice.symbols.len());
    tracing::info_span!("slice", job = %job.id, attempt = job.attempt, definition, %timeframe, %range, symbols)
}

impl Slices {
    async fn slice(&self, job: &Job, slice: &SliceJob) -> Ending {
        let guard = self.guard(job);
        let began = Instant::now();
        let fetch = async {
            match slice.source {
                Some(source) => build_slice(&self.orchestrator, slice, source, guard.as_ref()).await,
                None => fetch_slice(&self.orchestrator, slice, guard.as_ref(), job).await,
            }
        };
        let fetched = tokio::select! {
            fetched = fetch => fetched,
            // Pages already stored stay; whoever has the slice next fetches the rest.
            _ = job.stopped() => return job.snoozed(Duration::ZERO).into(),
        };
        match fetched {
            Ok(done) => self.done(job, slice, &done, began.elapsed()),
            Err(failed) => self.fail(job, failed).await,
        }
    }

    /// What the store asks before it writes: whether this try still has the job.
    fn guard(&self, job: &Job) -> Option<Guard> {
        let fence = job.fence().filter(|_| self.orchestrator.backend().fenced)?;
        Some(Guard::new(fence.sql().to_owned(), fence.job(), fence.token()))
    }

    fn done(&self, job: &Job, slice: &SliceJob, done: &Done, elapsed: Duration) -> Ending {
        let Done { pages, bars_written: bars, requests, expected_requests, .. } = *done;
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(pages, bars, requests, expected_requests, elapsed_ms, "slice done");
        self.orchestrator.progress().tell(ProgressEvent::SliceDone { expected_requests, requests, elapsed });
        let completion = job.done().with_result(done.result());
        // What was looked at twice and found alike is how it is.
        let again = done.suspicious.iter().filter(|_| !slice.is_recheck).map(|suspicious| {
            let wait = self.orchestrator.settings().recheck_after.to_std().unwrap_or_default();
            let again = SliceJob { is_recheck: true, ..suspicious.clone() };
            again.job_of(SliceJob::RECHECK, job.priority, job.group.as_deref()).with_start(Start::After(wait))
        });
        completion.with_rest(again.collect()).into()
    }

    async fn fail(&self, job: &Job, failed: Failed) -> Ending {
        match failed {
            Failed::Provider(error @ barkeep_provider::Error::Unauthenticated { .. }) => {
                self.fatal.happened(Error::Credentials(error));
                job.snoozed(Duration::ZERO).into()
            }
            // Neither the vendor's limit nor an outage of our own is the slice's fault: no attempt is used up.
            Failed::Provider(barkeep_provider::Error::RateLimited { retry_after, .. }) => {
                self.delayed(job, "RATE_LIMIT_EXCEEDED", retry_after.unwrap_or(LIMITED))
            }
            Failed::Backend(Error::Store(barkeep_store::Error::LeaseLost { .. })) => {
                tracing::warn!("lease lost");
                self.orchestrator.progress().tell(ProgressEvent::SliceLost);
                job.snoozed(Duration::ZERO).into()
            }
            Failed::Backend(error) if error.is_transient() => {
                tracing::warn!(code = error.code(), reason = in_one_line(&error), "our database failed");
                self.delayed(job, error.code(), OUTAGE)
            }
            Failed::Backend(error) if error.is_full() => {
                if self.queue.is_full(Writer::Work, error).await {
                    let code = "STORAGE_FULL".to_owned();
                    self.orchestrator.progress().tell(ProgressEvent::SliceDelayed { code, wait: Duration::ZERO });
                }
                // At once: it is this process that is to wait, and others may have seen that there is space.
                job.snoozed(Duration::ZERO).into()
            }
            Failed::Backend(error) => {
                self.fatal.happened(error);
                job.snoozed(Duration::ZERO).into()
            }
            Failed::Payload(_) => self.failed(job, &failed, Then::Discard),
            Failed::Provider(ref error) => {
                let then = match error.retry() {
                    Retry::Never => Then::Discard,
                    Retry::Backoff => Then::Backoff(self.orchestrator.settings().backoff),
                    Retry::After(wait) => Then::After(wait),
                };
                self.failed(job, &failed, then)
            }
        }
    }

    fn delayed(&self, job: &Job, code: &str, wait: Duration) -> Ending {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(code, wait_ms, "slice waits");
        self.orchestrator.progress().tell(ProgressEvent::SliceDelayed { code: code.to_owned(), wait });
        job.snoozed(wait).into()
    }

    fn failed(&self, job: &Job, failed: &Failed, then: Then) -> Ending {
        let (code, reason) = (failed.code().to_owned(), failed.reason());
        let (attempt, requests) = (job.attempt, job.spent());
        let request_id = failed.request_id().unwrap_or_default();
        let event = if then == Then::Discard || job.is_last_attempt() {
            tracing::error!(code, reason, requests, request_id, "slice failed for good");
            ProgressEvent::SliceFailed { code: code.clone(), reason: reason.clone() }
        } else {
            // The first time is worth a look; that it goes on is not, until it ends.
            match attempt {
                1 => tracing::warn!(code, reason, requests, request_id, "slice failed; trying again"),
                _ => tracing::debug!(code, reason, requests, request_id, "slice failed again"),
            }
            ProgressEvent::SliceRetrying { code: code.clone(), reason: reason.clone(), attempt }
        };
        self.orchestrator.progress().tell(event);
        job.failed(code, reason).then(then).into()
    }
}
