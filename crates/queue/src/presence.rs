use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// One run of a worker, told from every other by a number drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub(crate) Uuid);

impl WorkerId {
    /// A new one.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl std::fmt::Display for WorkerId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a worker tells of itself, at its start and with every heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presence {
    /// Which run of which worker.
    pub id: WorkerId,
    /// What its leases and attempts are signed with. 1 to 128 bytes.
    pub name: String,
    /// The machine it runs on. At most 255 bytes.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// The version of its program. At most 64 bytes.
    pub version: String,
    /// The kinds of jobs that it works on.
    pub kinds: Vec<String>,
    /// How many jobs it has now.
    pub running: u32,
    /// It is taken for dead if it shows no sign of life for so long.
    pub lease: Duration,
}

impl Presence {
    /// A worker of this process, on this machine, without jobs; taken for dead after 60 s of silence.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: WorkerId::random(),
            name: name.into(),
            host: whoami::hostname().unwrap_or_default(),
            pid: std::process::id(),
            version: String::new(),
            kinds: Vec::new(),
            running: 0,
            lease: Duration::from_secs(60),
        }
    }

    /// Names the version of the program.
    #[must_use]
    pub fn with_version(self, version: impl Into<String>) -> Self {
        Self { version: version.into(), ..self }
    }

    /// Names the kinds that it works on.
    #[must_use]
    pub fn with_kinds(self, kinds: impl IntoIterator<Item = String>) -> Self {
        Self { kinds: kinds.into_iter().collect(), ..self }
    }

    /// Says how many jobs it has.
    #[must_use]
    pub fn with_running(self, running: u32) -> Self {
        Self { running, ..self }
    }

    /// Takes it for dead after so long a silence.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }
}

/// A worker, as the others see it. One that stopped in good order is forgotten at once, one that died after a day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerState {
    /// Which run of which worker.
    pub id: WorkerId,
    /// What its leases and attempts are signed with.
    pub name: String,
    /// The machine it runs on.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// The version of its program, if it told.
    pub version: String,
    /// The kinds of jobs that it works on.
    pub kinds: Vec<String>,
    /// How many jobs it had when last seen.
    pub running: u64,
    /// When it first showed itself, by the database's clock.
    pub started_at: DateTime<Utc>,
    /// When it last did.
    pub seen_at: DateTime<Utc>,
    /// Whether it is not overdue: one that is has died, or is cut off from the database.
    pub is_alive: bool,
}
