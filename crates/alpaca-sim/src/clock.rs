//! What time the simulator takes it to be.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// The host's time, one that the caller moves, or one that the caller tells.
pub(crate) enum Clock {
    Host,
    Set(AtomicI64),
    Given(Box<dyn Fn() -> DateTime<Utc> + Send + Sync>),
}

impl Clock {
    pub(crate) fn fixed(now: DateTime<Utc>) -> Self {
        Self::Set(AtomicI64::new(now.timestamp_millis()))
    }

    pub(crate) fn now_millis(&self) -> i64 {
        match self {
            Self::Host => host_now().timestamp_millis(),
            Self::Set(millis) => millis.load(Ordering::SeqCst),
            Self::Given(clock) => clock().timestamp_millis(),
        }
    }

    /// Moves a clock that was set; others go their own way.
    pub(crate) fn set(&self, now: DateTime<Utc>) {
        if let Self::Set(millis) = self {
            millis.store(now.timestamp_millis(), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a server of the present needs the present: the one place it is read")]
fn host_now() -> DateTime<Utc> {
    Utc::now()
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => formatter.write_str("Host"),
            Self::Set(millis) => write!(formatter, "Set({})", millis.load(Ordering::SeqCst)),
            Self::Given(_) => formatter.write_str("Given"),
        }
    }
}
