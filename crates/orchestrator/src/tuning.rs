//! Settings that every process of an installation shares, and that may change while they run.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use barkeep_queue::Scope;
use chrono::TimeDelta;
use serde_json::Value;

use crate::{Error, Orchestrator, Result, Schedule, Settings, SliceJob};

/// A setting that may be changed for all processes while they run: [`Orchestrator::tune`]. Each is a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tunable {
    /// How many slices run at once over all processes: [`Settings::concurrency`].
    Concurrency,
    /// How many seconds pass between ticks, in place of [`Settings::schedule`].
    TickSeconds,
    /// [`Settings::retry_failed_after`].
    RetryFailedAfterSeconds,
    /// [`Settings::settle`].
    SettleSeconds,
    /// [`Settings::recheck_after`].
    RecheckAfterSeconds,
    /// [`Settings::reverify_per_thousand`].
    ReverifyPerThousand,
}

/// A text that names nothing that may be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown setting {0:?}: expected {names}", names = Tunable::ALL.map(Tunable::as_str).join(", "))]
pub struct UnknownTunable(pub String);

impl Tunable {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Concurrency,
        Self::TickSeconds,
        Self::RetryFailedAfterSeconds,
        Self::SettleSeconds,
        Self::RecheckAfterSeconds,
        Self::ReverifyPerThousand,
    ];

    /// The name that it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::TickSeconds => "tick_seconds",
            Self::RetryFailedAfterSeconds => "retry_failed_after_seconds",
            Self::SettleSeconds => "settle_seconds",
            Self::RecheckAfterSeconds => "recheck_after_seconds",
            Self::ReverifyPerThousand => "reverify_per_thousand",
        }
    }

    /// The settings with this one changed.
    fn applied(self, value: u32, settings: Settings) -> Settings {
        let delta = TimeDelta::seconds(value.into());
        match self {
            Self::Concurrency => Settings { concurrency: value, ..settings },
            Self::TickSeconds => Settings { schedule: Schedule::every(Duration::from_secs(value.into())), ..settings },
            Self::RetryFailedAfterSeconds => Settings { retry_failed_after: delta, ..settings },
            Self::SettleSeconds => Settings { settle: delta, ..settings },
            Self::RecheckAfterSeconds => Settings { recheck_after: delta, ..settings },
            Self::ReverifyPerThousand => Settings { reverify_per_thousand: value, ..settings },
        }
    }
}

impl fmt::Display for Tunable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Tunable {
    type Err = UnknownTunable;

    fn from_str(text: &str) -> Result<Self, UnknownTunable> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownTunable(text.to_owned()))
    }
}

/// Changes a setting for all processes, or gives it back to what each was started with.
pub(crate) async fn tune(orchestrator: &Orchestrator, what: Tunable, value: Option<u32>, by: &str) -> Result<()> {
    let book = &orchestrator.backend().book;
    match value {
        Some(value) => {
            if what == Tunable::TickSeconds && value == 0 {
                return Err(Error::Setting { name: what.as_str(), expected: "1 or more" });
            }
            what.applied(value, Settings::default()).check()?;
            book.set(what.as_str(), &value.into(), by).await?;
        }
        None => {
            book.unset(what.as_str(), by).await?;
        }
    }
    refresh(orchestrator).await
}

/// Takes over what was changed, and keeps the number of slices that run at once to it.
pub(crate) async fn refresh(orchestrator: &Orchestrator) -> Result<()> {
    let backend = orchestrator.backend();
    let mut settings = orchestrator.started_with().clone();
    for set in backend.book.settings().await? {
        let Ok(what) = set.name.parse::<Tunable>() else { continue };
        let value = set.value.as_u64().and_then(|value| u32::try_from(value).ok());
        let tuned = value.map(|value| what.applied(value, settings.clone())).filter(|tuned| tuned.check().is_ok());
        match tuned {
            Some(tuned) => settings = tuned,
            None => warn_of(what, &set.value),
        }
    }
    let (scope, limit) = (Scope::Kind(SliceJob::KIND.to_owned()), settings.concurrency);
    let caps = backend.inspect.caps().await?;
    if !caps.iter().any(|cap| cap.scope == scope && cap.limit == limit) {
        backend.control.set_cap(&scope, Some(limit)).await?;
    }
    orchestrator.set_settings(settings);
    Ok(())
}

fn warn_of(what: Tunable, value: &Value) {
    let error = Error::Setting { name: what.as_str(), expected: "a number in its range" };
    tracing::warn!(setting = %what, %value, code = error.code(), "a stored setting is out of its range, and left out");
}
