use std::any::Any;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{FutureExt, poll};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::{Ending, Work};
use crate::{Failure, LeaseKey, Release};

/// Runs jobs, whatever they do, and hands in how they ended.
///
/// A job that waits for something has a task of its own. Of those that do not, a task takes one after the other, since a task
/// costs more than a job that ends at once. As many tasks do so as there are threads to compute, and while there are jobs that
/// have not begun another one is always on its way, for a job may also hold its task up without being seen to wait.
pub(super) struct Runner {
    work: Arc<dyn Work>,
    endings: Sender<(LeaseKey, Ending)>,
    /// Drops what still runs.
    dropping: CancellationToken,
    threads: usize,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Jobs that have not begun, each with the permit that it holds until it has ended.
    jobs: VecDeque<(Job, OwnedSemaphorePermit)>,
    /// How many tasks take jobs: those whose job does not wait.
    takers: usize,
    /// How many of them have not begun.
    coming: usize,
}

impl Runner {
    /// On the runtime that this is called on.
    pub(super) fn new(work: Arc<dyn Work>, endings: Sender<(LeaseKey, Ending)>, dropping: CancellationToken) -> Self {
        let threads = Handle::current().metrics().num_workers();
        Self { work, endings, dropping, threads, line: Mutex::default() }
    }

    /// Sees to it that these jobs are run.
    pub(super) fn add(self: &Arc<Self>, jobs: impl Iterator<Item = (Job, OwnedSemaphorePermit)>) {
        let mut line = self.line();
        line.jobs.extend(jobs);
        self.see_to(&mut line);
    }

    fn see_to(self: &Arc<Self>, line: &mut Line) {
        while line.coming < line.jobs.len() && (line.coming == 0 || line.takers < self.threads) {
            line.takers += 1;
            line.coming += 1;
            tokio::spawn(Arc::clone(self).take_jobs());
        }
    }

    async fn take_jobs(self: Arc<Self>) {
        self.line().coming -= 1;
        while let Some((job, permit)) = self.next() {
            let mut working = pin!(self.work_on(job));
            if poll!(working.as_mut()).is_pending() {
                self.step_out();
                working.await;
                self.line().takers += 1;
            }
            drop(permit);
        }
    }

    /// The next job, if there is any; otherwise whoever asks takes no more.
    fn next(self: &Arc<Self>) -> Option<(Job, OwnedSemaphorePermit)> {
        let mut line = self.line();
        let next = line.jobs.pop_front();
        line.takers -= usize::from(next.is_none());
        self.see_to(&mut line);
        next
    }

    /// Lets another task take jobs for as long as this one waits.
    fn step_out(self: &Arc<Self>) {
        let mut line = self.line();
        line.takers -= 1;
        self.see_to(&mut line);
    }

    async fn work_on(&self, job: Job) {
        let (key, signals) = (job.key(), Arc::clone(job.signals()));
        let working = async {
            tokio::select! {
                biased;
                ending = self.work.work(job) => ending,
                () = self.dropping.cancelled() => Release::new(key).with_cost(signals.spent()).into(),
            }
        };
        // All that is dropped is dropped in there, and may panic too.
        let ended = AssertUnwindSafe(working).catch_unwind().await;
        let ending = ended.unwrap_or_else(|panic| panicked(key, panic.as_ref()).with_cost(signals.spent()).into());
        // The receiver is gone only if the queue refuses everything; then the lease lapses.
        let _ = self.endings.send((key, ending)).await;
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panicked(lease: LeaseKey, panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Failure::new(lease, "PANICKED", message)
}
