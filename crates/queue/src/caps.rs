/// The jobs that a cap counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Those of every kind and group.
    All,
    /// All of a kind.
    Kind(String),
    /// All of a group, of whatever kind.
    Group(String),
}

impl Scope {
    /// Whether it counts jobs of this kind and group.
    pub fn covers(&self, kind: &str, group: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Kind(covered) => covered == kind,
            Self::Group(covered) => Some(covered.as_str()) == group,
        }
    }
}

/// How many jobs may run at once, over all processes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cap {
    /// Which jobs.
    pub scope: Scope,
    /// How many of them.
    pub limit: u32,
    /// How many of them run. Above the limit only if the cap was set while more ran.
    pub running: u64,
}

impl Cap {
    pub(crate) fn new(scope: Scope, limit: u32, running: u64) -> Self {
        Self { scope, limit, running }
    }

    /// How many more may be claimed.
    pub fn room(&self) -> u64 {
        u64::from(self.limit).saturating_sub(self.running)
    }
}
