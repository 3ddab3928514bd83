use chrono::{DateTime, TimeDelta, Utc};

use crate::{Orchestrator, Result};

/// How far the host's clock may be off before somebody is told.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// What tells the orchestrator the time: which bars are settled, and how far a window of the last days reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The database's clock, as for leases, delays and budgets: hosts that share a database agree, however wrong their own
    /// clocks are.
    #[default]
    Database,
    /// Always the same instant: for tests, and for planning as of a day.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// What the host takes the time to be: for what people read, not for planning.
    pub fn host_now() -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
        Utc::now()
    }
}

/// An instant, as the market and as the database have it. They differ under a fixed [`Clock`] alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Of the market: which bars there are.
    pub(crate) market: DateTime<Utc>,
    /// Of the database: how long ago something was written.
    pub(crate) database: DateTime<Utc>,
    /// By how much the host's clock is ahead of the database's.
    pub(crate) host_ahead: TimeDelta,
}

impl Moment {
    pub(crate) async fn now(orchestrator: &Orchestrator) -> Result<Self> {
        let database = orchestrator.backend().inspect.now().await?;
        let market = match orchestrator.settings().clock {
            Clock::Database => database,
            Clock::Fixed(instant) => instant,
        };
        Ok(Self { market, database, host_ahead: Clock::host_now() - database })
    }

    /// Warns of a host whose clock is off. Nothing here lives by it, but its logs do.
    pub(crate) fn warn_of_skew(&self) {
        if self.host_ahead.abs() > SKEW {
            let ahead_seconds = self.host_ahead.num_seconds();
            tracing::warn!(ahead_seconds, "this host's clock differs from the database's, which counts");
        }
    }
}
