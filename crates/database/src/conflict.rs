//! Transactions that others were in the way of, run again at once.

use std::error::Error as StdError;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

/// How often one is run again, and how long it waits before the first time: twice as long before each after it.
const MORE_TRIES: usize = 5;
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// Runs a verb, and again where the server undid all of it because other transactions were in its way: up to five times more,
/// each after a short wait of random length, so that those who met do not meet again. Then the last error is the caller's.
pub(crate) async fn despite_conflicts<T, E, F>(verb: impl Fn() -> F) -> Result<T, E>
where
    E: StdError + 'static,
    F: Future<Output = Result<T, E>>,
{
    let waits =
        ExponentialBuilder::new().with_min_delay(FIRST_WAIT).with_factor(2.0).with_max_times(MORE_TRIES).with_jitter();
    let told = |_: &E, wait: Duration| tracing::debug!(?wait, "other transactions were in the way; trying again");
    verb.retry(waits).when(|error| is_conflict(error)).notify(told).await
}

/// Whether the server says that it undid a transaction for the sake of another, and that the same again may succeed: a
/// serialization failure, or a deadlock. What waited for a lock until its time was up would only wait again.
fn is_conflict(error: &(dyn StdError + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.any(|cause| {
        let refusal = cause.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
        refusal.and_then(|refusal| refusal.code()).is_some_and(|code| matches!(&*code, "40001" | "40P01"))
    })
}
