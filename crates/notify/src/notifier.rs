use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Notice, Result};

/// Where notices go: a log, a webhook, a mailbox, or a channel of your own.
///
/// # Contract
///
/// - `Ok` says that the other side has the notice. After an error it is offered again at the next review.
/// - A notice may come twice: after an answer that was lost. `rule`, `subject` and `at` tell it from others.
/// - Whoever waits for an answer gives up in bounded time.
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Delivers one notice.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), by whether it may be delivered later.
    async fn notify(&self, notice: &Notice) -> Result<()>;
}

const _: fn(&dyn Notifier) = |_| {}; // Stays usable as `dyn Notifier`.

#[async_trait]
impl<N: Notifier + ?Sized> Notifier for Arc<N> {
    async fn notify(&self, notice: &Notice) -> Result<()> {
        (**self).notify(notice).await
    }
}
