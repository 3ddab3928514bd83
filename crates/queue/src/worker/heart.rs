use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::{Job, Signals, StopReason};
use crate::{Extension, LeaseKey, Presence, Queue, Spending};

/// The leases that a worker holds, until their endings have been written.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    leases: Arc<Mutex<HashMap<LeaseKey, Arc<Signals>>>>,
    removed: Arc<Notify>,
}

impl Held {
    pub(super) fn add(&self, job: &Job) {
        self.lock().insert(job.key(), Arc::clone(job.signals()));
    }

    pub(super) fn remove(&self, keys: impl IntoIterator<Item = LeaseKey>) {
        let mut leases = self.lock();
        for key in keys {
            leases.remove(&key);
        }
        self.removed.notify_one();
    }

    /// Returns once endings have been written: under a cap they make room.
    pub(super) async fn removed(&self) {
        self.removed.notified().await;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// How many.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.lock().len()).unwrap_or(u32::MAX)
    }

    fn keys(&self) -> Vec<LeaseKey> {
        self.lock().keys().copied().collect()
    }

    /// What has been spent so far, where anything was.
    fn spendings(&self) -> Vec<Spending> {
        let leases = self.lock();
        let spendings = leases.iter().map(|(key, signals)| Spending::new(*key, signals.spent()));
        spendings.filter(|spending| spending.cost > 0).collect()
    }

    /// Tells jobs what was found out about their leases.
    fn tell(&self, keys: &[LeaseKey], extensions: &[Extension]) {
        let mut leases = self.lock();
        for (key, extension) in keys.iter().zip(extensions) {
            match extension {
                Extension::Held => {}
                Extension::CancelRequested => {
                    leases.get(key).inspect(|signals| signals.stop(StopReason::Cancelled));
                }
                Extension::Lost => {
                    leases.remove(key).inspect(|signals| signals.stop(StopReason::Lost));
                }
            }
        }
    }

    /// Tells every job to stop.
    pub(super) fn stop_all(&self, reason: StopReason) {
        self.lock().values().for_each(|signals| signals.stop(reason));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LeaseKey, Arc<Signals>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Extends what is held three times a lease, tells what it cost so far, shows that the worker lives, and takes back what
/// others left behind, until `stop`.
pub(super) async fn beat(queue: Arc<dyn Queue>, held: Held, worker: Presence, stop: CancellationToken) {
    let lease = worker.lease;
    let mut beats = tokio::time::interval((lease / 3).max(Duration::from_millis(1)));
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut extended_at = Instant::now();
    let mut is_first = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = beats.tick() => {}
        }
        // The first beat comes at once, to show that the worker lives: what it holds by then was leased just now.
        let keys = if is_first { Vec::new() } else { held.keys() };
        is_first = false;
        // What fails now is tried again at the next beat, when two thirds of the lease may be left to do it in.
        let asked_at = Instant::now();
        match queue.extend(&keys, lease).await {
            Ok(extensions) => {
                extended_at = asked_at;
                held.tell(&keys, &extensions);
            }
            Err(error) => {
                tracing::warn!(code = error.code(), leases = keys.len(), "leases not extended");
                if extended_at.elapsed() >= lease {
                    held.stop_all(StopReason::Lost);
                }
                // Nothing more of this beat would fare better. Least of all shall it end with leases taken back that have
                // lapsed for the same reason, these here among them: their holders may be as alive as this one.
                continue;
            }
        }
        if let Err(error) = queue.spend(&held.spendings()).await {
            tracing::warn!(code = error.code(), "costs so far not told");
        }
        if let Err(error) = queue.show_worker(&worker.clone().with_running(held.count())).await {
            tracing::warn!(code = error.code(), "sign of life not given");
        }
        match queue.reap().await {
            Ok(reaped) if reaped.returned + reaped.ended > 0 => {
                tracing::info!(returned = reaped.returned, ended = reaped.ended, "lapsed leases taken back");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(code = error.code(), "lapsed leases not looked for"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::{Claim, Control, MemoryQueue, NewJob, Select};

    #[tokio::test(start_paused = true)]
    async fn what_was_leased_just_now_is_extended_after_a_third_of_the_lease() {
        let queue = MemoryQueue::new();
        queue.enqueue(&[NewJob::new("test", serde_json::Value::Null)]).await.unwrap();
        let job = Job::new(queue.claim(&Claim::new("test", "worker")).await.unwrap().remove(0));
        let held = Held::default();
        held.add(&job);
        // Who extends is told so.
        queue.cancel(&Select::jobs([job.id])).await.unwrap();
        let beating = tokio::spawn(beat(Arc::new(queue), held, Presence::new("worker"), CancellationToken::new()));
        timeout(Duration::from_secs(19), job.stopped()).await.unwrap_err();
        assert_eq!(timeout(Duration::from_secs(2), job.stopped()).await.unwrap(), StopReason::Cancelled);
        beating.abort();
    }
}
