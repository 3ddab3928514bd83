use std::time::Duration;

use crate::Error;

/// Runs a whole verb within `limit`. What is dropped on expiry closes its connection instead of giving it back, so a
/// server that hangs costs one connection and never the pool.
pub(crate) async fn bounded<T, E: From<Error>>(
    limit: Duration,
    verb: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, verb).await {
        Ok(result) => result,
        Err(_) => Err(Error::TimedOut { limit }.into()),
    }
}
