use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::endings::Endings;
use super::heart::{self, Held};
use super::job::{Job, StopReason};
use super::patience::Patience;
use super::runner::Runner;
use super::turns::Turns;
use super::{Worked, Worker};
use crate::{Claim, Presence, Result, WorkerId};

/// How long the last endings may take to be written, even where jobs are given no grace.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// The longest wait between claims where the database has no space left.
const FULL: Duration = Duration::from_secs(60);

/// One run of a worker, from the first claim to the last ending.
pub(super) struct Shift<'a> {
    worker: &'a Worker,
    stop: CancellationToken,
    until_idle: bool,
    /// Drops what still runs.
    dropping: CancellationToken,
    /// A permit for each job that may run at once.
    room: Arc<Semaphore>,
    held: Held,
    runner: Arc<Runner>,
    writing: JoinHandle<Result<Worked>>,
    beating: JoinHandle<()>,
    presence: WorkerId,
    heart_stop: CancellationToken,
}

impl<'a> Shift<'a> {
    pub(super) fn begin(worker: &'a Worker, stop: CancellationToken) -> Self {
        let held = Held::default();
        let (dropping, heart_stop) = (CancellationToken::new(), CancellationToken::new());
        let (endings, received) = mpsc::channel(worker.concurrency.into());
        let writer = Endings {
            queue: Arc::clone(&worker.queue),
            held: held.clone(),
            linger: worker.linger,
            stop: stop.clone(),
            worked: Worked::default(),
        };
        let heart = Arc::clone(&worker.heart);
        let presence = Presence::new(&worker.name)
            .with_version(&worker.version)
            .with_kinds(worker.kinds.iter().cloned())
            .with_lease(worker.lease);
        Self {
            worker,
            stop,
            until_idle: false,
            runner: Arc::new(Runner::new(Arc::clone(&worker.work), endings, dropping.clone())),
            dropping,
            room: Arc::new(Semaphore::new(worker.concurrency.into())),
            writing: tokio::spawn(writer.write(received)),
            presence: presence.id,
            beating: tokio::spawn(heart::beat(heart, held.clone(), presence, heart_stop.clone())),
            held,
            heart_stop,
        }
    }

    pub(super) fn until_idle(self) -> Self {
        Self { until_idle: true, ..self }
    }

    pub(super) async fn work(self) -> Result<Worked> {
        let claimed = self.claim_jobs().await;
        self.held.stop_all(StopReason::Stopping);
        let all_have_ended = || self.room.acquire_many(self.worker.concurrency.into());
        if timeout(self.worker.grace, all_have_ended()).await.is_err() {
            self.dropping.cancel();
            let _ = all_have_ended().await;
        }
        drop(self.runner);
        let worked = match timeout(self.worker.grace.max(LAST_WORDS), self.writing).await {
            Ok(written) => written.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())),
            Err(_) => Err(barkeep_database::Error::TimedOut { limit: self.worker.grace }.into()),
        };
        self.heart_stop.cancel();
        // Nothing is held any more, and a beat that is under way does no harm.
        self.beating.abort();
        let _ = self.beating.await;
        // Out of reach, it is taken for dead in time.
        if let Ok(Err(error)) = timeout(LAST_WORDS, self.worker.heart.forget_worker(self.presence)).await {
            tracing::warn!(code = error.code(), "worker not taken off the list");
        }
        claimed.and(worked)
    }

    /// Claims jobs and starts them, until told to stop.
    async fn claim_jobs(&self) -> Result<()> {
        let (first, longest) = self.worker.poll;
        let mut pause = first;
        let mut turns = Turns::new(self.worker.kinds.len(), longest);
        let mut outage = None;
        let mut ear = self.worker.bell.hear();
        while let Some(room) = self.room().await {
            ear.forget();
            // Looked at before the claim: an ending that is written after it may make another job claimable.
            let was_idle = self.held.is_empty();
            let claimed = self.claim(&mut turns, room).await;
            if claimed.is_ok() {
                outage = None;
            }
            match claimed {
                Ok(0) if self.until_idle && was_idle => return Ok(()),
                Ok(0) => {
                    pause = tokio::select! {
                        true = ear.rung() => {
                            turns.wake_all();
                            first
                        }
                        next = self.wait(pause) => next.min(longest),
                    }
                }
                Ok(_) => pause = first,
                Err(error) if error.is_transient() || error.is_full() => {
                    let most = if error.is_full() { longest.max(FULL) } else { longest };
                    let patience = outage.get_or_insert_with(|| Patience::new(first, most));
                    self.wait(patience.after(&error, "no jobs claimed")).await;
                }
                Err(error) => return Err(error),
            }
            if self.writing.is_finished() {
                return Ok(()); // Its error says why.
            }
        }
        Ok(())
    }

    /// Room for at least one job, and after a moment for as many as have ended by then; none once told to stop.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let mut room = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            first = Arc::clone(&self.room).acquire_owned() => first.ok()?,
        };
        let enough = u32::from(self.worker.concurrency / 2);
        // Half of it, if that much is free within a moment; they are taken below.
        let _ = timeout(self.worker.linger, self.room.acquire_many(enough)).await;
        // And what is about to end does so first, as a claim costs the database nearly the same however much it brings.
        let mut free = usize::MAX;
        while free != self.room.available_permits() {
            free = self.room.available_permits();
            tokio::task::yield_now().await;
        }
        if let Ok(more) = Arc::clone(&self.room).try_acquire_many_owned(u32::try_from(free).unwrap_or(0)) {
            room.merge(more);
        }
        Some(room)
    }

    /// Claims as many jobs as there is room for, of the first kind that has any, and starts them.
    async fn claim(&self, turns: &mut Turns, mut room: OwnedSemaphorePermit) -> Result<usize> {
        let limit = u16::try_from(room.num_permits()).unwrap_or(u16::MAX);
        for kind in turns.next() {
            let claim = Claim::new(&self.worker.kinds[kind], &self.worker.name);
            let leases = self.worker.queue.claim(&claim.with_limit(limit).with_lease(self.worker.lease)).await?;
            turns.asked(kind, !leases.is_empty());
            if !leases.is_empty() {
                let claimed = leases.len();
                let jobs = leases.into_iter().map(Job::new).zip(std::iter::from_fn(|| room.split(1)));
                self.runner.add(jobs.inspect(|(job, _)| self.held.add(job)));
                return Ok(claimed);
            }
        }
        Ok(0)
    }

    /// Waits before an empty queue is asked again, and answers how long to wait the next time.
    async fn wait(&self, pause: Duration) -> Duration {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.held.removed() => {}
            () = sleep(pause) => {}
        }
        pause * 2
    }
}
