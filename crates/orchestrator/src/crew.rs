//! Workers, for as long as something else goes on.

use tokio_util::sync::CancellationToken;

use crate::cautious::WhenFull;
use crate::planning::give_up_abandoned;
use crate::work::{Fatal, worker};
use crate::{Orchestrator, Result};

/// Runs this process' worker beside `task`, once it is `needed`, until the task is done or `stop` is cancelled; then slices
/// in hand go back to the queue. The task's answer, unless it was stopped.
///
/// # Errors
///
/// The task's, or what makes further work pointless: refused credentials, a database that will not recover by itself.
pub(crate) async fn with_workers<T>(
    orchestrator: &Orchestrator,
    stop: &CancellationToken,
    when_full: WhenFull,
    needed: impl Future<Output = ()>,
    task: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    let working = stop.child_token();
    let fatal = Fatal::new(working.clone());
    let work = async {
        if working.run_until_cancelled(needed).await.is_none() {
            return Ok(());
        }
        let worked = worker(orchestrator, when_full, &fatal).run(working.clone()).await;
        working.cancel();
        worked.map(drop)
    };
    let task = async {
        let done = working.run_until_cancelled(task).await.transpose();
        working.cancel();
        done
    };
    let (worked, done) = tokio::join!(work, task);
    if let Err(error) = give_up_abandoned(orchestrator).await {
        tracing::warn!(code = error.code(), "the planner's lock was not given up, and lapses");
    }
    if let Some(error) = fatal.take() {
        return Err(error);
    }
    worked?;
    done
}
