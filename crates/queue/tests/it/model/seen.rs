//! What can be seen of a queue, told so that two queues can be compared: without ids and tokens, which differ, and with
//! times in half steps since the history began, which do not.

use barkeep_queue::{Attempt, Blocker, FinishedJob, Grant, LeaseKey, LedgerLine, LiveJob, Outlook, Vitals};
use chrono::{DateTime, TimeDelta, Utc};

use super::history::STEP;

/// When a history began, by the clocks of both queues.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since(pub DateTime<Utc>);

impl Since {
    /// A time in half steps. What happens in a history happens a little after a half step has begun.
    pub(crate) fn told(self, at: DateTime<Utc>) -> i64 {
        let half = i64::try_from(STEP / 2).unwrap();
        ((at - self.0) + TimeDelta::seconds(half / 2)).num_seconds().div_euclid(half)
    }

    pub(crate) fn lease(self, lease: &barkeep_queue::Lease) -> String {
        let times = (self.told(lease.until), self.told(self.0 + lease.waited));
        let shown = format!("{:?} {:?} {:?}", lease.kind, lease.key, lease.group);
        let numbers = (lease.priority, lease.attempt, lease.max_attempts, lease.crashes);
        format!("{} {shown} {numbers:?} {times:?}", lease.payload)
    }

    pub(crate) fn finished(self, job: &FinishedJob) -> String {
        let shown = (&job.kind, &job.key, &job.group, job.outcome, job.failures, job.crashes, job.cost, &job.worker);
        let why = (&job.code, &job.message, job.parent.is_some());
        let times = (self.told(job.created_at), self.told(job.finished_at));
        format!("{} {} {shown:?} {why:?} {times:?}", job.payload, job.result)
    }

    pub(crate) fn attempt(self, attempt: &Attempt) -> String {
        let times = (self.told(attempt.started_at), self.told(attempt.finished_at));
        format!("{} {} {} {:?} {times:?}", attempt.attempt, attempt.worker, attempt.code, attempt.message)
    }

    /// How many tokens, or how long to wait; nothing where there is no such budget.
    pub(crate) fn grant(self, grant: barkeep_queue::Result<Grant>) -> Option<(u32, i64)> {
        match grant.ok()? {
            Grant::Granted(block) => Some((block.tokens, 0)),
            Grant::Wait { wait } => Some((0, self.told(self.0 + wait))),
            other => unreachable!("{other:?} is new"),
        }
    }

    pub(crate) fn outlook(self, outlook: &Outlook) -> String {
        let told = |blocker: &Blocker| match blocker {
            Blocker::NotDue { jobs, next_at } => format!("{jobs} not due until {}", self.told(*next_at)),
            Blocker::BudgetExhausted { jobs, until, .. } => {
                format!("{jobs} without budget until {}", self.told(*until))
            }
            other => format!("{other:?}"),
        };
        let blockers: Vec<String> = outlook.blockers.iter().map(told).collect();
        format!("{} claimable, {blockers:?}", outlook.claimable)
    }

    pub(crate) fn vitals(self, vitals: &Vitals, budget: &str) -> String {
        let numbers = (vitals.counts, vitals.paused, vitals.workers, vitals.lapsed, vitals.crashes);
        let times = [Some(vitals.now), vitals.oldest_ready_at, vitals.oldest_started_at];
        let budget = vitals.budgets.iter().find(|state| state.name == budget);
        let times = times.map(|at| at.map(|at| self.told(at)));
        format!("{numbers:?} {times:?} {:?} {budget:?}", vitals.failures)
    }
}

pub(crate) fn live(job: &LiveJob) -> (String, String) {
    let shown = (&job.key, &job.group, job.priority, job.state, job.attempt, &job.code);
    (job.payload.to_string(), format!("{shown:?}"))
}

/// The ledger of these kinds, without lines in which everything was taken back.
pub(crate) fn ledger(lines: &[LedgerLine], kinds: &[String]) -> Vec<LedgerLine> {
    let says = |line: &&LedgerLine| kinds.contains(&line.kind) && (line.succeeded, line.failed, line.cost) != (0, 0, 0);
    lines.iter().filter(says).cloned().collect()
}

/// Which of the keys are among those lost.
pub(crate) fn places(keys: &[LeaseKey], lost: &[LeaseKey]) -> Vec<bool> {
    keys.iter().map(|key| lost.contains(key)).collect()
}
