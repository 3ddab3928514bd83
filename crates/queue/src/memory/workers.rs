use chrono::{DateTime, TimeDelta, Utc};

use super::State;
use crate::{Presence, WorkerState};

/// A worker, and when it was last seen.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    told: Presence,
    started_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}

impl Listed {
    fn until(&self) -> DateTime<Utc> {
        self.seen_at + self.told.lease
    }
}

impl State {
    pub(super) fn show_worker(&mut self, told: &Presence) {
        let now = self.now;
        let new = Listed { told: told.clone(), started_at: now, seen_at: now };
        let listed = self.workers.entry(told.id).or_insert(new);
        listed.seen_at = now;
        listed.told.lease = told.lease;
        listed.told.running = told.running;
        self.workers.retain(|_, listed| listed.until() >= now - TimeDelta::days(1));
    }

    pub(super) fn list_workers(&self) -> Vec<WorkerState> {
        let shown = |listed: &Listed| {
            let Presence { id, name, host, pid, version, kinds, running, .. } = listed.told.clone();
            WorkerState {
                id,
                name,
                host,
                pid,
                version,
                kinds,
                running: running.into(),
                started_at: listed.started_at,
                seen_at: listed.seen_at,
                is_alive: listed.until() > self.now,
            }
        };
        let mut workers: Vec<_> = self.workers.values().map(shown).collect();
        workers
            .sort_by(|one, other| (one.started_at, &one.name, one.id).cmp(&(other.started_at, &other.name, other.id)));
        workers
    }
}
