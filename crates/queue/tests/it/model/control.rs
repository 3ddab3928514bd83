use std::time::Duration;

use barkeep_queue::{Lock, Rate};

use super::history::{Act, STEP};
use super::player::{Outcome, Player, agree, same};

impl Player<'_> {
    /// What operators do.
    pub(super) async fn control(&mut self, act: &Act) -> Outcome {
        let [ours, theirs] = [self.model, self.real];
        match act {
            Act::Cancel(which) => {
                let [model, real] = self.select(which);
                agree(ours.cancel(&model).await, theirs.cancel(&real).await)?;
            }
            Act::Reprioritise(which, priority) => {
                let [model, real] = self.select(which);
                agree(ours.reprioritise(&model, *priority).await, theirs.reprioritise(&real, *priority).await)?;
            }
            Act::RetryFailed(which) => {
                let [model, real] = self.select(which);
                agree(ours.retry_failed(&model).await, theirs.retry_failed(&real).await)?;
            }
            Act::Pause(what) => {
                let pause = self.pause(*what);
                agree(ours.pause(&pause).await, theirs.pause(&pause).await)?;
            }
            Act::Resume(what) => {
                let pause = self.pause(*what);
                agree(ours.resume(&pause).await, theirs.resume(&pause).await)?;
            }
            Act::Cap(capped, limit) => {
                let scope = self.scope(*capped);
                agree(ours.set_cap(&scope, *limit).await, theirs.set_cap(&scope, *limit).await)?;
            }
            Act::Prune { keep } => {
                // How many it deletes depends on what the histories before this one left.
                ours.prune(*keep).await.unwrap();
                theirs.prune(*keep).await.unwrap();
                self.pruned = true;
            }
            other => self.share(other).await?,
        }
        Ok(())
    }

    /// What workers share besides jobs. Tokens are not given back: what is earned anew meanwhile depends on the microsecond,
    /// and the clocks do not agree to one.
    async fn share(&mut self, act: &Act) -> Outcome {
        let [ours, theirs] = [self.model, self.real];
        let name = self.budget.clone();
        match act {
            Act::SetBudget { day_limit } => {
                let rate = Rate::new(4, Duration::from_secs(STEP)).unwrap().with_hold(Duration::ZERO).unwrap();
                let rate = rate.with_burst(3).unwrap();
                let rate = day_limit.map_or(rate, |limit| rate.with_day_limit(limit));
                agree(ours.set_budget(&name, &rate).await, theirs.set_budget(&name, &rate).await)?;
            }
            Act::Reserve { wanted } => {
                let (granted, also) = (ours.reserve(&name, *wanted).await, theirs.reserve(&name, *wanted).await);
                same(self.since.grant(granted), self.since.grant(also))?;
            }
            Act::Block(time) => same(ours.block(&name, *time).await.is_ok(), theirs.block(&name, *time).await.is_ok())?,
            Act::SpendFrom { kind, budget } => {
                let (kind, budget) = (self.kind(*kind), budget.then_some(name.as_str()));
                let (set, also) = (ours.set_budget_of(kind, budget).await, theirs.set_budget_of(kind, budget).await);
                same(set.is_ok(), also.is_ok())?;
            }
            Act::Lock(lease) => {
                let (lock, also) =
                    (ours.lock(&self.lock, "holder", *lease).await, theirs.lock(&self.lock, "holder", *lease).await);
                let (lock, also) = (lock.unwrap(), also.unwrap());
                let until = |lock: &Option<Lock>| lock.as_ref().map(|lock| self.since.told(lock.until));
                same(until(&lock), until(&also))?;
                self.locks.extend(lock.into_iter().zip(also).map(<[_; 2]>::from));
            }
            Act::ExtendLock { place, lease } => {
                if let Some([model, real]) = self.locks.iter().rev().nth(*place) {
                    agree(ours.extend_lock(model, *lease).await, theirs.extend_lock(real, *lease).await)?;
                }
            }
            Act::Unlock { place } => {
                if let Some([model, real]) = self.locks.iter().rev().nth(*place) {
                    agree(ours.unlock(model).await, theirs.unlock(real).await)?;
                }
            }
            other => unreachable!("{other:?} is a worker's"),
        }
        Ok(())
    }
}
