use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::{Ending, Work};
use crate::{Failure, LeaseKey, Release};

/// Runs jobs, whatever they do, and hands in how they ended.
pub(super) struct Runner {
    pub(super) work: Arc<dyn Work>,
    pub(super) endings: Sender<(LeaseKey, Ending)>,
    /// Drops what still runs.
    pub(super) dropping: CancellationToken,
}

impl Runner {
    pub(super) async fn run(&self, job: Job) {
        let (key, signals) = (job.key(), Arc::clone(job.signals()));
        let working = AssertUnwindSafe(self.work.work(job)).catch_unwind();
        let ending = tokio::select! {
            biased;
            ending = working => {
                ending.unwrap_or_else(|panic| panicked(key, panic.as_ref()).with_cost(signals.spent()).into())
            }
            () = self.dropping.cancelled() => Release::new(key).with_cost(signals.spent()).into(),
        };
        // The receiver is gone only if the queue refuses everything; then the lease lapses.
        let _ = self.endings.send((key, ending)).await;
    }
}

fn panicked(lease: LeaseKey, panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Failure::new(lease, "PANICKED", message)
}
