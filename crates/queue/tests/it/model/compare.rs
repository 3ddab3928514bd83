use std::time::Duration;

use barkeep_queue::conformance::Subject;
use barkeep_queue::{FinishedJob, JobId, Select};
use proptest::prelude::*;

use super::player::{Outcome, Player, agree, same};
use super::seen;

impl Player<'_> {
    /// Every live job, and how many are in which state.
    pub(super) async fn compare(&self) -> Outcome {
        let (mut counts, mut also) = (self.model.counts().await.unwrap(), self.real.counts().await.unwrap());
        for kind in &self.kinds {
            let (counts, also) = (counts.remove(kind).unwrap_or_default(), also.remove(kind).unwrap_or_default());
            same(counts, also)?;
            // As many live jobs in both: where there are none, there is nothing to look at.
            if counts.live() > 0 {
                same(live(self.model, kind).await, live(self.real, kind).await)?;
            }
        }
        Ok(())
    }

    /// What people see.
    pub(super) async fn look(&self, kind: &str) -> Outcome {
        let [ours, theirs] = [self.model, self.real];
        agree(ours.caps().await, theirs.caps().await)?;
        agree(ours.paused().await, theirs.paused().await)?;
        let (outlook, also) = (ours.outlook(kind).await.unwrap(), theirs.outlook(kind).await.unwrap());
        same(self.since.outlook(&outlook), self.since.outlook(&also))?;
        let (vitals, also) = (ours.vitals(kind).await.unwrap(), theirs.vitals(kind).await.unwrap());
        same(self.since.vitals(&vitals, &self.budget), self.since.vitals(&also, &self.budget))?;
        agree(ours.spent(kind, self.since.0).await, theirs.spent(kind, self.since.0).await)?;
        let (ledger, also) = (ours.ledger(self.since.0).await.unwrap(), theirs.ledger(self.since.0).await.unwrap());
        same(seen::ledger(&ledger, &self.kinds), seen::ledger(&also, &self.kinds))
    }

    /// Compares what has become of everything, and leaves nothing behind for the next history.
    pub(crate) async fn finish(&mut self) -> Outcome {
        let [ours, theirs] = [self.model, self.real];
        self.look(&self.kinds[0]).await?;
        for cap in ours.caps().await.unwrap() {
            agree(ours.set_cap(&cap.scope, None).await, theirs.set_cap(&cap.scope, None).await)?;
        }
        for pause in ours.paused().await.unwrap() {
            agree(ours.resume(&pause).await, theirs.resume(&pause).await)?;
        }
        self.pass(Duration::from_secs(1));
        agree(ours.cancel(&Select::all()).await, theirs.cancel(&Select::all()).await)?;
        self.pass(Duration::from_secs(100_000));
        agree(ours.reap().await, theirs.reap().await)?;
        self.compare().await?;
        for kind in &self.kinds {
            let (failed, also) = (ours.failed(kind, 1_000).await.unwrap(), theirs.failed(kind, 1_000).await.unwrap());
            same(self.ended(&failed), self.ended(&also))?;
        }
        let [model, real] = [0, 1].map(|queue| self.jobs.iter().map(|ids| ids[queue]).collect::<Vec<_>>());
        let (ended, also) = (ours.finished(&model).await.unwrap(), theirs.finished(&real).await.unwrap());
        if !self.pruned {
            prop_assert_eq!(ended.len(), self.jobs.len(), "no job is lost");
        }
        same(self.ended(&ended), self.ended(&also))?;
        for [model, real] in &self.jobs {
            let attempts = ours.attempts(*model).await.unwrap();
            // Those without an attempt are many.
            if !attempts.is_empty() {
                same(self.tries(ours, *model).await, self.tries(theirs, *real).await)?;
            }
        }
        Ok(())
    }

    fn ended(&self, jobs: &[FinishedJob]) -> Vec<String> {
        jobs.iter().map(|job| self.since.finished(job)).collect()
    }

    async fn tries(&self, queue: &dyn Subject, job: JobId) -> Vec<String> {
        queue.attempts(job).await.unwrap().iter().map(|attempt| self.since.attempt(attempt)).collect()
    }
}

async fn live(queue: &dyn Subject, kind: &str) -> Vec<(String, String)> {
    let mut live: Vec<_> = queue.live(kind).await.unwrap().iter().map(seen::live).collect();
    live.sort();
    live
}
