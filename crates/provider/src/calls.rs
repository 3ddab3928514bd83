use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the requests that a vendor got to see: what an answer cost, those sent again included.
///
/// Clones share the count.
///
/// ```
/// use barkeep_provider::Calls;
///
/// let calls = Calls::default();
/// calls.add_one();
/// assert_eq!(calls.count(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<AtomicU64>);

impl Calls {
    /// Counts a request that is about to be sent.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one back that was counted, and never left: there was no connection to send it on.
    pub fn take_one_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many there were so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
