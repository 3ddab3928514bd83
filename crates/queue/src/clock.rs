use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How far a test has moved the clock that the SQL reads: the one way to let time pass without sleeping. 0 otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    moved_us: Arc<AtomicI64>,
}

impl Clock {
    /// The first value bound in every statement.
    pub(crate) fn moved_us(&self) -> i64 {
        self.moved_us.load(Ordering::Relaxed)
    }

    #[cfg(any(test, feature = "conformance"))]
    pub(crate) fn advance(&self, by: std::time::Duration) {
        let by_us = i64::try_from(by.as_micros()).expect("tests move the clock by less than an age");
        self.moved_us.fetch_add(by_us, Ordering::Relaxed);
    }
}
