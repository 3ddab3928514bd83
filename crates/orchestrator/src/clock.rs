use chrono::{DateTime, Utc};

/// What tells the orchestrator the time: which bars are settled, and how far a window of the last days reaches.
///
/// Leases, delays and budgets do not live by it: those are the database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Clock {
    /// The host's clock.
    #[default]
    Host,
    /// Always the same instant: for tests, and for planning as of a day.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The time.
    pub fn now(self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
            Self::Host => Utc::now(),
            Self::Fixed(instant) => instant,
        }
    }
}
