use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::heart::Held;
use super::patience::Patience;
use super::{Ending, Worked};
use crate::{Completion, Error, Failure, LeaseKey, Queue, Release, Result, Then, Verdict};

/// The most endings written at once.
const BATCH: usize = 1_000;
/// How long to wait before endings are written that could not be, and how long at the most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const NOT_WRITTEN: &str = "endings not written yet";
/// The longest wait of a job that goes back.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Writes endings, many at a time.
pub(super) struct Endings {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) held: Held,
    pub(super) linger: Duration,
    /// Nobody frees space for a worker that is to stop.
    pub(super) stop: CancellationToken,
    pub(super) worked: Worked,
}

impl Endings {
    /// Writes what comes, until all senders are gone.
    pub(super) async fn write(mut self, mut endings: Receiver<(LeaseKey, Ending)>) -> Result<Worked> {
        let mut batch = Vec::with_capacity(BATCH);
        while endings.recv_many(&mut batch, BATCH).await > 0 {
            // What runs out here is the time to wait: what has come by then is written.
            let _ = timeout(self.linger, self.gather(&mut endings, &mut batch)).await;
            self.write_batch(std::mem::take(&mut batch)).await?;
        }
        Ok(self.worked)
    }

    /// Waits for more endings, as long as something runs that could end.
    async fn gather(&self, endings: &mut Receiver<(LeaseKey, Ending)>, batch: &mut Vec<(LeaseKey, Ending)>) {
        while batch.len() < BATCH.min(self.held.count() as usize) {
            match endings.recv().await {
                Some(ending) => batch.push(ending),
                None => return,
            }
        }
    }

    async fn write_batch(&mut self, batch: Vec<(LeaseKey, Ending)>) -> Result<()> {
        let keys: Vec<LeaseKey> = batch.iter().map(|(key, _)| *key).collect();
        let (mut done, mut failed, mut snoozed) = (Vec::new(), Vec::new(), Vec::new());
        for (key, ending) in batch {
            match ending {
                // Whatever lease the work named: it is this job that ended.
                Ending::Done(completion) => done.push(Completion { lease: key, ..completion }),
                Ending::Failed(failure) => failed.push(Failure { lease: key, ..failure }),
                // A wait that is too long to be stored is as good as never; a day is soon enough to say so again.
                Ending::Snoozed(release) => {
                    snoozed.push(Release { lease: key, wait: release.wait.min(LONGEST), ..release });
                }
            }
        }
        self.complete(done).await?;
        self.fail(failed).await?;
        self.release(snoozed).await?;
        self.held.remove(keys);
        Ok(())
    }

    async fn complete(&mut self, done: Vec<Completion>) -> Result<()> {
        let mut refused = Vec::new();
        match self.persevere(|| self.queue.complete(&done)).await {
            Ok(lost) => self.count_done(done.len(), lost.len()),
            // One of them has a result that cannot be stored; the others shall not suffer for it.
            Err(Error::Invalid { .. }) => {
                for done in done {
                    match self.persevere(|| self.queue.complete(std::slice::from_ref(&done))).await {
                        Ok(lost) => self.count_done(1, lost.len()),
                        Err(error @ Error::Invalid { .. }) => refused.push(unstorable(done.lease, done.cost, &error)),
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        self.fail(refused).await
    }

    async fn fail(&mut self, failures: Vec<Failure>) -> Result<()> {
        if failures.is_empty() {
            return Ok(());
        }
        let verdicts = match self.persevere(|| self.queue.fail(&failures)).await {
            // A code that cannot be stored, or an absurd wait.
            Err(error @ Error::Invalid { .. }) => {
                let told: Vec<_> =
                    failures.iter().map(|failure| unstorable(failure.lease, failure.cost, &error)).collect();
                self.persevere(|| self.queue.fail(&told)).await?
            }
            verdicts => verdicts?,
        };
        let lost = verdicts.iter().filter(|verdict| **verdict == Verdict::Lost).count() as u64;
        self.worked.lost += lost;
        self.worked.failed += verdicts.len() as u64 - lost;
        Ok(())
    }

    async fn release(&mut self, releases: Vec<Release>) -> Result<()> {
        if releases.is_empty() {
            return Ok(());
        }
        let lost = self.persevere(|| self.queue.release(&releases)).await?.len() as u64;
        self.worked.lost += lost;
        self.worked.snoozed += releases.len() as u64 - lost;
        Ok(())
    }

    fn count_done(&mut self, asked: usize, lost: usize) {
        self.worked.lost += lost as u64;
        self.worked.done += (asked - lost) as u64;
    }

    /// Asks again while the database is out of reach, or has no space: endings are worth keeping, and writing one twice does
    /// no harm.
    async fn persevere<T, F: Future<Output = Result<T>>>(&self, ask: impl Fn() -> F) -> Result<T> {
        let mut patience = Patience::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            match ask().await {
                Err(error) if error.is_transient() => tokio::time::sleep(patience.after(&error, NOT_WRITTEN)).await,
                Err(error) if error.is_full() && !self.stop.is_cancelled() => {
                    let wait = patience.after(&error, NOT_WRITTEN);
                    let _ = timeout(wait, self.stop.cancelled()).await;
                }
                answer => return answer,
            }
        }
    }
}

/// The failure of a job whose ending the queue refuses to store. What it cost it cost.
fn unstorable(lease: LeaseKey, cost: u64, error: &Error) -> Failure {
    Failure::new(lease, error.code(), error.to_string()).then(Then::Discard).with_cost(cost)
}
