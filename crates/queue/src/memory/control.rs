use async_trait::async_trait;

use super::{Job, MemoryQueue, State};
use crate::{Cancelled, Control, JobId, NewJob, Outcome, Pause, Result, Scope, Select, Start, check};

#[async_trait]
impl Control for MemoryQueue {
    async fn cancel(&self, which: &Select) -> Result<Cancelled> {
        let mut state = self.state();
        let mut cancelled = Cancelled::default();
        for id in state.chosen(which) {
            match &mut state.job(id).held {
                Some(held) => {
                    held.cancel_requested = true;
                    cancelled.asked += 1;
                }
                None => {
                    state.end(id, Outcome::Cancelled);
                    cancelled.ended += 1;
                }
            }
        }
        Ok(cancelled)
    }

    async fn reprioritise(&self, which: &Select, priority: i16) -> Result<u64> {
        check::priority("priority", priority)?;
        let mut state = self.state();
        let mut changed = 0;
        for id in state.chosen(which) {
            let job = state.job(id);
            changed += u64::from(job.new.priority != priority);
            job.new.priority = priority;
        }
        Ok(changed)
    }

    async fn retry_failed(&self, which: &Select) -> Result<u64> {
        let mut state = self.state();
        let mut failed: Vec<(NewJob, JobId)> = state
            .finished
            .values()
            .filter(|(job, new)| job.outcome == Outcome::Failed && meets(which, job.id, new, job.code.as_deref()))
            .map(|(job, new)| (new.clone(), job.id))
            .collect();
        failed.sort_by(|(one, id), (other, other_id)| {
            (&one.kind, &one.key, id).cmp(&(&other.kind, &other.key, other_id))
        });
        Ok(failed.into_iter().filter(|(new, id)| state.revive(new, *id)).count() as u64)
    }

    async fn pause(&self, what: &Pause) -> Result<()> {
        self.state().pauses.insert(what.clone());
        Ok(())
    }

    async fn resume(&self, what: &Pause) -> Result<bool> {
        Ok(self.state().pauses.remove(what))
    }

    async fn paused(&self) -> Result<Vec<Pause>> {
        Ok(self.state().pauses.iter().cloned().collect())
    }

    async fn set_cap(&self, scope: &Scope, limit: Option<u32>) -> Result<()> {
        check::scope(scope)?;
        check::cap(limit)?;
        let mut state = self.state();
        match limit {
            Some(limit) => state.caps.insert(scope.clone(), limit),
            None => state.caps.remove(scope),
        };
        Ok(())
    }
}

impl State {
    fn chosen(&self, which: &Select) -> Vec<JobId> {
        let meets = |(id, job): &(&JobId, &Job)| meets(which, **id, &job.new, job.code.as_deref());
        self.live.iter().filter(meets).map(|(id, _)| *id).collect()
    }

    /// Makes a failed job live again under its id, unless its key is taken.
    fn revive(&mut self, new: &NewJob, id: JobId) -> bool {
        let start_over = NewJob { start: Start::Now, ..new.clone() };
        let Some(added) = self.add(&start_over, None) else { return false };
        let mut job = self.live.remove(&added).expect("it has just been added");
        let (ended, _) = self.finished.remove(&id).expect("it was found there");
        job.parent = ended.parent;
        job.created_at = ended.created_at;
        job.code = ended.code;
        job.message = ended.message;
        self.live.insert(id, job);
        self.line_at(ended.finished_at, &ended.kind, ended.group.as_deref()).failed -= 1;
        *self.tally.entry((ended.kind, Outcome::Failed)).or_default() -= 1;
        true
    }
}

fn meets(which: &Select, id: JobId, job: &NewJob, code: Option<&str>) -> bool {
    which.jobs.as_ref().is_none_or(|jobs| jobs.contains(&id))
        && which.kind.as_ref().is_none_or(|kind| *kind == job.kind)
        && (which.group.is_none() || which.group == job.group)
        && which.code.as_deref().is_none_or(|asked| code == Some(asked))
}
