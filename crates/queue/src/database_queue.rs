mod budgets;
mod control;
mod inspect;
mod locks;
mod watch;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::floor::Floors;
use crate::rows::{ClaimRow, DoneRow, JobRow, KeyRow, SettleRow, SettledRow, SpendRow, WorkerRow};
use crate::statements::{REAP_LIMIT, Statements};
use crate::{
    Bell, Claim, Completion, Extension, Failure, JobId, Lease, LeaseKey, NewJob, Outcome, Presence, Queue, Reaped,
    Release, Result, Spending, Verdict, WorkerId, check,
};

/// A queue in a database: [`PostgresQueue`](crate::PostgresQueue) or [`SqliteQueue`](crate::SqliteQueue). A clone is a
/// handle to the same queue.
///
/// Everything but the SQL is here, so that the two cannot come to differ.
#[derive(Clone, Debug)]
pub struct DatabaseQueue<D> {
    pub(crate) database: D,
    pub(crate) clock: Clock,
    floors: Floors,
    fence: Arc<str>,
    bells: Vec<Bell>,
}

impl<D: Statements> DatabaseQueue<D> {
    pub(crate) fn new(database: D) -> Self {
        Self {
            fence: database.fence(),
            database,
            clock: Clock::default(),
            floors: Floors::default(),
            bells: Vec::new(),
        }
    }

    /// Rings this bell, too, whenever this handle or a clone made from now on has added jobs.
    ///
    /// For workers of the same process; what others add they find by polling, or by `PostgresQueue::listen`. Jobs that
    /// become claimable in another way (time, a retry, a resumed kind) ring nothing.
    #[must_use]
    pub fn ringing(mut self, bell: &Bell) -> Self {
        self.bells.push(bell.clone());
        self
    }

    fn ring(&self) {
        self.bells.iter().for_each(Bell::ring);
    }

    /// Lets time pass for this handle and its clones, and for nobody else. For tests.
    #[cfg(any(test, feature = "conformance"))]
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn settle(&self, mut tries: Vec<SettleRow>) -> Result<HashMap<KeyRow, SettledRow>> {
        tries.sort_by_key(|try_| try_.key);
        tries.dedup_by_key(|try_| try_.key);
        let settled = self.database.settle(self.clock.moved_us(), &tries).await?;
        self.floors.clear();
        Ok(settled.into_iter().map(|settled| (settled.key, settled)).collect())
    }
}

#[async_trait]
impl<D: Statements> Queue for DatabaseQueue<D> {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Option<JobId>>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let batch = Batch::checked(jobs)?;
        let ids = self.database.enqueue(self.clock.moved_us(), &batch.rows).await?;
        if batch.rows.iter().any(|row| self.floors.is_above(row.kind, row.rank)) {
            self.floors.clear();
        }
        self.ring();
        Ok(batch.ids(&ids))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>> {
        let row = ClaimRow::checked(claim)?;
        if claim.limit == 0 {
            return Ok(Vec::new());
        }
        let moved_us = self.clock.moved_us();
        let floor = self.floors.get(&claim.kind, moved_us);
        let mut leased = self.database.claim(moved_us, &ClaimRow { floor, ..row }).await?;
        if leased.is_empty() && floor.is_some() {
            leased = self.database.claim(moved_us, &row).await?;
        }
        let is_full = leased.len() == usize::from(claim.limit);
        let stopped_at = leased.last().filter(|_| is_full).map(|(_, place)| *place);
        self.floors.claimed(&claim.kind, moved_us, floor, stopped_at);
        let fenced = |lease| Lease { fence: Some(Arc::clone(&self.fence)), ..lease };
        Ok(leased.into_iter().map(|(lease, _)| fenced(lease)).collect())
    }

    async fn extend(&self, leases: &[LeaseKey], lease: Duration) -> Result<Vec<Extension>> {
        let lease_us = check::lease("lease", lease)?;
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let keys = sorted(leases.iter().map(|key| KeyRow::from(*key)));
        let held = self.database.extend(self.clock.moved_us(), &keys, lease_us).await?;
        let held: HashMap<KeyRow, bool> = held.into_iter().collect();
        Ok(leases
            .iter()
            .map(|key| match held.get(&KeyRow::from(*key)) {
                Some(false) => Extension::Held,
                Some(true) => Extension::CancelRequested,
                None => Extension::Lost,
            })
            .collect())
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<LeaseKey>> {
        if done.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Vec::with_capacity(done.len());
        let mut rest = Vec::new();
        let mut spent = HashSet::with_capacity(done.len());
        for (place, done) in done.iter().enumerate() {
            let row = DoneRow::checked(format_args!("done[{place}]"), done)?;
            let (key, is_first_use) = (row.key, spent.insert(row.key));
            for (rest_place, job) in done.rest.iter().enumerate() {
                let row = JobRow::checked(format_args!("done[{place}].rest[{rest_place}]"), job)?;
                if is_first_use {
                    rest.push((key, JobRow { parent: Some(key.id), ..row }));
                }
            }
            if is_first_use {
                rows.push(row);
            }
        }
        rows.sort_unstable_by_key(|row| row.key);
        rest.sort_by_key(|(_, row)| (row.kind, row.key));
        let ended = self.database.complete(self.clock.moved_us(), &rows, &rest).await?;
        if !rest.is_empty() {
            self.floors.clear();
            self.ring();
        }
        Ok(lost(done.iter().map(|done| done.lease), &ended.into_iter().collect()))
    }

    async fn fail(&self, failures: &[Failure]) -> Result<Vec<Verdict>> {
        if failures.is_empty() {
            return Ok(Vec::new());
        }
        let tries = failures
            .iter()
            .enumerate()
            .map(|(place, failure)| SettleRow::failed(format_args!("failures[{place}]"), failure))
            .collect::<Result<_>>()?;
        let mut settled = self.settle(tries).await?;
        // Taken out, since a key is spent by its first use.
        let verdict = |failure: &Failure| match settled.remove(&failure.lease.into()) {
            Some(settled) => verdict(settled),
            None => Verdict::Lost,
        };
        Ok(failures.iter().map(verdict).collect())
    }

    async fn release(&self, releases: &[Release]) -> Result<Vec<LeaseKey>> {
        if releases.is_empty() {
            return Ok(Vec::new());
        }
        let tries = releases
            .iter()
            .enumerate()
            .map(|(place, release)| SettleRow::released(format_args!("releases[{place}]"), release))
            .collect::<Result<_>>()?;
        let settled = self.settle(tries).await?;
        Ok(lost(releases.iter().map(|release| release.lease), &settled.into_keys().collect()))
    }

    async fn spend(&self, spendings: &[Spending]) -> Result<()> {
        if spendings.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<SpendRow> = spendings.iter().map(SpendRow::from).collect();
        // The latest of several counts. Sorted, as all that hold several rows are, so that nobody waits in a circle.
        rows.reverse();
        rows.sort_by_key(|row| row.key);
        rows.dedup_by_key(|row| row.key);
        self.database.spend(&rows).await
    }

    async fn show_worker(&self, worker: &Presence) -> Result<()> {
        self.database.show_worker(self.clock.moved_us(), &WorkerRow::checked(worker)?).await
    }

    async fn forget_worker(&self, id: WorkerId) -> Result<()> {
        self.database.forget_worker(id.0).await
    }

    async fn reap(&self) -> Result<Reaped> {
        let mut reaped = Reaped::default();
        loop {
            let expired = self.database.expired(self.clock.moved_us(), REAP_LIMIT).await?;
            if expired.is_empty() {
                return Ok(reaped);
            }
            let was_full = expired.len() == REAP_LIMIT as usize;
            let settled = self.settle(expired.into_iter().map(SettleRow::crashed).collect()).await?;
            let ended = settled.values().filter(|settled| settled.outcome.is_some()).count() as u64;
            reaped.ended += ended;
            reaped.returned += settled.len() as u64 - ended;
            if !was_full {
                return Ok(reaped);
            }
        }
    }
}

/// Jobs to be added, in the order in which their keys are locked: two callers who add the same jobs in different orders
/// would otherwise wait for each other for ever.
pub(crate) struct Batch<'a> {
    pub(crate) rows: Vec<JobRow<'a>>,
    // Of each row, its place among the jobs asked for.
    places: Vec<usize>,
}

impl<'a> Batch<'a> {
    pub(crate) fn checked(jobs: &'a [NewJob]) -> Result<Self> {
        let mut places: Vec<usize> = (0..jobs.len()).collect();
        places.sort_by_key(|place| (&jobs[*place].kind, &jobs[*place].key));
        let rows = places
            .iter()
            .map(|place| JobRow::checked(format_args!("jobs[{place}]"), &jobs[*place]))
            .collect::<Result<_>>()?;
        Ok(Self { rows, places })
    }

    /// The ids of the rows, in the order in which the jobs were asked for.
    pub(crate) fn ids(&self, of_rows: &[Option<i64>]) -> Vec<Option<JobId>> {
        let mut ids = vec![None; self.places.len()];
        for (id, place) in of_rows.iter().zip(&self.places) {
            ids[*place] = id.map(JobId::new);
        }
        ids
    }
}

fn sorted(keys: impl Iterator<Item = KeyRow>) -> Vec<KeyRow> {
    let mut keys: Vec<KeyRow> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The leases that were asked about but did not stand.
fn lost(asked: impl Iterator<Item = LeaseKey>, stood: &HashSet<KeyRow>) -> Vec<LeaseKey> {
    asked.filter(|key| !stood.contains(&KeyRow::from(*key))).collect()
}

fn verdict(settled: SettledRow) -> Verdict {
    match settled.outcome {
        None => Verdict::Retrying { wait: Duration::from_micros(settled.wait_us.max(0).cast_unsigned()) },
        Some(Outcome::Cancelled) => Verdict::Cancelled,
        Some(Outcome::Failed | Outcome::Succeeded) => Verdict::Failed,
    }
}
