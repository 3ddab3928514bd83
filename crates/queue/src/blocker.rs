use chrono::{DateTime, Utc};

use crate::{Cap, Pause};

/// Something that keeps waiting jobs of a kind from being claimed.
///
/// A job may be held back by several: it counts at each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocker {
    /// Their time has not come: they were delayed, or failed and wait for their next try.
    NotDue {
        /// How many.
        jobs: u64,
        /// When the first of them may be claimed, by the database's clock.
        next_at: DateTime<Utc>,
    },
    /// They are paused.
    Paused {
        /// The pause.
        pause: Pause,
        /// How many are due.
        jobs: u64,
    },
    /// As many run already as may.
    Capped {
        /// The cap.
        cap: Cap,
        /// How many are due.
        jobs: u64,
    },
    /// The budget that they spend from hands out nothing.
    BudgetExhausted {
        /// The budget.
        budget: String,
        /// Until when, by the database's clock.
        until: DateTime<Utc>,
        /// How many are due.
        jobs: u64,
    },
}

/// What of a kind can be claimed, and what keeps the rest from it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Outlook {
    /// Jobs that are due and that nothing holds back; of them, a cap may let only some run at once.
    pub claimable: u64,
    /// What holds others back.
    pub blockers: Vec<Blocker>,
}

/// Jobs of one kind and group that wait.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub group: Option<String>,
    pub is_due: bool,
    pub jobs: u64,
    pub first_at: DateTime<Utc>,
}

/// What may hold jobs back.
pub(crate) struct Obstacles {
    pub(crate) pauses: Vec<Pause>,
    pub(crate) caps: Vec<Cap>,
    /// The kind's budget, if that is exhausted, and until when.
    pub(crate) exhausted: Option<(String, DateTime<Utc>)>,
}

impl Obstacles {
    pub(crate) fn outlook(self, kind: &str, waiting: &[Waiting]) -> Outlook {
        let due: Vec<&Waiting> = waiting.iter().filter(|waiting| waiting.is_due).collect();
        let held = |holds: &dyn Fn(Option<&str>) -> bool| -> u64 {
            due.iter().filter(|due| holds(due.group.as_deref())).map(|due| due.jobs).sum()
        };
        let caps: Vec<Cap> = self.caps.into_iter().filter(|cap| cap.room() == 0).collect();
        let is_free = |group: Option<&str>| {
            self.exhausted.is_none()
                && !self.pauses.iter().any(|pause| pause.covers(kind, group))
                && !caps.iter().any(|cap| cap.scope.covers(kind, group))
        };
        let claimable = held(&is_free);
        let later = waiting.iter().filter(|waiting| !waiting.is_due);
        let not_due = later.clone().map(|later| later.first_at).min().map(|next_at| {
            let jobs = later.map(|later| later.jobs).sum();
            Blocker::NotDue { jobs, next_at }
        });
        let paused = self.pauses.iter().map(|pause| {
            let jobs = held(&|group| pause.covers(kind, group));
            Blocker::Paused { pause: pause.clone(), jobs }
        });
        let capped = caps.iter().map(|cap| {
            let jobs = held(&|group| cap.scope.covers(kind, group));
            Blocker::Capped { cap: cap.clone(), jobs }
        });
        let exhausted = self.exhausted.iter().map(|(budget, until)| Blocker::BudgetExhausted {
            budget: budget.clone(),
            until: *until,
            jobs: held(&|_| true),
        });
        let blockers = not_due.into_iter().chain(paused).chain(capped).chain(exhausted);
        Outlook { claimable, blockers: blockers.filter(|blocker| blocker.jobs() > 0).collect() }
    }
}

impl Blocker {
    /// How many jobs it holds back.
    pub fn jobs(&self) -> u64 {
        match self {
            Self::NotDue { jobs, .. }
            | Self::Paused { jobs, .. }
            | Self::Capped { jobs, .. }
            | Self::BudgetExhausted { jobs, .. } => *jobs,
        }
    }
}
