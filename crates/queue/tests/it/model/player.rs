use std::fmt::Debug;
use std::time::Duration;

use barkeep_queue::conformance::Subject;
use barkeep_queue::{
    Claim, Completion, Failure, JobId, LeaseKey, Lock, NewJob, Release, Scope, Select, Spending, Start, Then,
};
use chrono::DurationRound;
use proptest::prelude::*;
use serde_json::json;

use super::history::{Act, Begin, Capped, Kind, Next, Paused, Step, Which, Work};
use super::seen::{self, Since};

/// Plays histories to two queues and compares what they answer. Jobs are told apart by a serial number in their payloads,
/// since ids and tokens differ.
pub(crate) struct Player<'a> {
    pub(super) model: &'a dyn Subject,
    /// Handles to the queue that is compared with the model.
    handles: Vec<&'a dyn Subject>,
    /// The one that is in use.
    pub(super) real: &'a dyn Subject,
    grain: Duration,
    pub(super) since: Since,
    pub(super) kinds: [String; 2],
    pub(super) budget: String,
    pub(super) lock: String,
    serial: u32,
    /// Every lease ever given, in either queue, latest last.
    leases: Vec<[LeaseKey; 2]>,
    pub(super) locks: Vec<[Lock; 2]>,
    /// Every job ever added by itself, in either queue.
    pub(super) jobs: Vec<[JobId; 2]>,
    pub(super) pruned: bool,
}

pub(super) type Outcome = Result<(), TestCaseError>;

impl<'a> Player<'a> {
    /// Sets both clocks to the same time: one from which no history comes near the end of an hour. `grain` is the shortest
    /// time that the real clock tells.
    pub(crate) async fn new(
        model: &'a dyn Subject,
        handles: Vec<&'a dyn Subject>,
        grain: Duration,
        name: &str,
    ) -> Self {
        let now = handles[0].now().await.unwrap();
        let hour = now.duration_trunc(chrono::TimeDelta::hours(1)).unwrap();
        let began = hour + chrono::TimeDelta::seconds(3_700);
        model.advance((began - model.now().await.unwrap()).to_std().unwrap());
        handles.iter().for_each(|handle| handle.advance((began - now).to_std().unwrap()));
        Self {
            model,
            real: handles[0],
            handles,
            grain,
            since: Since(began),
            kinds: ["common", "rare"].map(|kind| format!("{name}-{kind}")),
            budget: format!("{name}-budget"),
            lock: format!("{name}-lock"),
            serial: 0,
            leases: Vec::new(),
            locks: Vec::new(),
            jobs: Vec::new(),
            pruned: false,
        }
    }

    pub(crate) async fn play(&mut self, step: &Step) -> Outcome {
        self.take(step.handle);
        let [ours, theirs] = [self.model, self.real];
        match &step.act {
            Act::Enqueue(work) => self.enqueue(work).await?,
            Act::Claim { kind, worker, limit, lease, heard } => {
                let claim = Claim::new(self.kind(*kind), format!("worker-{worker}"));
                self.claim(&claim.with_limit(*limit).with_lease(*lease), *heard).await?;
            }
            Act::Extend { leases, lease } => {
                let [model, real] = self.keys(leases.iter().copied());
                agree(ours.extend(&model, *lease).await, theirs.extend(&real, *lease).await)?;
            }
            Act::Complete(done) => self.complete(done).await?,
            Act::Fail(failed) => {
                let [model, real] = self.each(failed, failure);
                agree(ours.fail(&model).await, theirs.fail(&real).await)?;
            }
            Act::Release(released) => {
                let [model, real] = self.each(released, |key, wait| Release::new(key).with_wait(*wait).with_cost(1));
                let (lost, also) = (ours.release(&model).await.unwrap(), theirs.release(&real).await.unwrap());
                let keys = |releases: &[Release]| releases.iter().map(|release| release.lease).collect::<Vec<_>>();
                same(seen::places(&keys(&model), &lost), seen::places(&keys(&real), &also))?;
            }
            Act::Spend(spent) => {
                let [model, real] = self.each(spent, |key, cost| Spending::new(key, *cost));
                agree(ours.spend(&model).await, theirs.spend(&real).await)?;
            }
            Act::Reap => agree(ours.reap().await, theirs.reap().await)?,
            Act::Pass(time) => self.pass(*time),
            Act::Look(kind) => self.look(self.kind(*kind)).await?,
            other => self.control(other).await?,
        }
        if step.act.touches_jobs() { self.compare().await } else { Ok(()) }
    }

    async fn enqueue(&mut self, work: &[Work]) -> Outcome {
        let jobs: Vec<NewJob> = work.iter().map(|work| self.new_job(work)).collect();
        let (ids, also) = (self.model.enqueue(&jobs).await.unwrap(), self.real.enqueue(&jobs).await.unwrap());
        let added = |ids: &[Option<JobId>]| ids.iter().map(Option::is_some).collect::<Vec<_>>();
        same(added(&ids), added(&also))?;
        self.jobs.extend(ids.into_iter().flatten().zip(also.into_iter().flatten()).map(<[_; 2]>::from));
        Ok(())
    }

    async fn claim(&mut self, claim: &Claim, heard: bool) -> Outcome {
        let (leases, also) = (self.model.claim(claim).await.unwrap(), self.real.claim(claim).await.unwrap());
        let shown = |leases: &[_]| leases.iter().map(|lease| self.since.lease(lease)).collect::<Vec<_>>();
        same(shown(&leases), shown(&also))?;
        if heard {
            self.leases.extend(leases.iter().zip(&also).map(|(one, other)| [one.key(), other.key()]));
        }
        Ok(())
    }

    async fn complete(&mut self, done: &[(usize, Vec<Work>)]) -> Outcome {
        let done: Vec<(usize, Vec<NewJob>)> =
            done.iter().map(|(lease, rest)| (*lease, rest.iter().map(|work| self.new_job(work)).collect())).collect();
        let part = self.serial;
        let [model, real] = self.each(&done, |key, rest: &Vec<NewJob>| {
            let result = if rest.is_empty() { serde_json::Value::Null } else { json!({ "part": part }) };
            Completion::new(key).with_cost(2).with_result(result).with_rest(rest.clone())
        });
        let keys = |done: &[Completion]| done.iter().map(|done| done.lease).collect::<Vec<_>>();
        let (lost, also) = (self.model.complete(&model).await.unwrap(), self.real.complete(&real).await.unwrap());
        same(seen::places(&keys(&model), &lost), seen::places(&keys(&real), &also))
    }

    /// Goes on with a handle.
    fn take(&mut self, handle: usize) {
        // No two acts happen at the same instant. What one handle did, another may overlook for up to a second.
        let handle = self.handles[handle];
        if std::ptr::eq(handle, self.real) {
            self.model.advance(Duration::from_millis(1));
            self.handles.iter().for_each(|handle| handle.advance(self.grain));
        } else {
            self.real = handle;
            self.pass(Duration::from_secs(1));
        }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.model.advance(time);
        self.handles.iter().for_each(|handle| handle.advance(time));
    }

    pub(super) fn kind(&self, kind: Kind) -> &str {
        &self.kinds[usize::from(kind == Kind::Rare)]
    }

    fn new_job(&mut self, work: &Work) -> NewJob {
        self.serial += 1;
        let start = match work.start {
            Begin::Now => Start::Now,
            Begin::After(wait) => Start::After(wait),
            Begin::At(passed) => Start::At(self.since.0 + passed),
        };
        let mut job = NewJob::new(self.kind(work.kind), json!(self.serial))
            .with_priority(work.priority)
            .with_start(start)
            .with_max_attempts(work.max_attempts);
        job.key = work.key.map(|key| key.to_string());
        job.group = work.group.map(|group| group.to_string());
        job
    }

    fn keys(&self, leases: impl Iterator<Item = usize>) -> [Vec<LeaseKey>; 2] {
        // Counted from the latest, so that some of them are still held.
        let found: Vec<_> = leases.filter_map(|place| self.leases.iter().rev().nth(place)).collect();
        [0, 1].map(|queue| found.iter().map(|keys| keys[queue]).collect())
    }

    /// What is to be done with each lease, for either queue.
    fn each<T, U>(&self, leases: &[(usize, T)], make: impl Fn(LeaseKey, &T) -> U) -> [Vec<U>; 2] {
        let known = || leases.iter().filter_map(|(place, what)| Some((self.leases.iter().rev().nth(*place)?, what)));
        [0, 1].map(|queue| known().map(|(keys, what)| make(keys[queue], what)).collect())
    }

    pub(super) fn select(&self, which: &Which) -> [Select; 2] {
        [0, 1].map(|queue| {
            let chosen = match which {
                Which::Everything => Select::all(),
                Which::Jobs(places) => Select::jobs(
                    places.iter().filter_map(|place| self.jobs.iter().rev().nth(*place)).map(|ids| ids[queue]),
                ),
                Which::Group(group) => Select::all().of_group(group.to_string()),
                Which::Code => Select::all().with_code("FLAKY"),
            };
            // Jobs are ours; whatever else is chosen by might be found in the histories before this one.
            if matches!(which, Which::Jobs(_)) { chosen } else { chosen.of_kind(&self.kinds[0]) }
        })
    }

    pub(super) fn pause(&self, what: Paused) -> barkeep_queue::Pause {
        match what {
            Paused::Kind(kind) => barkeep_queue::Pause::Kind(self.kind(kind).to_owned()),
            Paused::Group(group) => barkeep_queue::Pause::Group(group.to_string()),
        }
    }

    pub(super) fn scope(&self, capped: Capped) -> Scope {
        match capped {
            Capped::All => Scope::All,
            Capped::Kind(kind) => Scope::Kind(self.kind(kind).to_owned()),
            Capped::Group(group) => Scope::Group(group.to_string()),
        }
    }
}

fn failure(key: LeaseKey, next: &Next) -> Failure {
    let then = match next {
        Next::After(wait) => Then::After(*wait),
        Next::Discard => Then::Discard,
    };
    Failure::new(key, "FLAKY", "again").then(then).with_cost(3)
}

pub(super) fn agree<T: PartialEq + Debug>(model: barkeep_queue::Result<T>, real: barkeep_queue::Result<T>) -> Outcome {
    same(model.unwrap(), real.unwrap())
}

pub(super) fn same<T: PartialEq + Debug>(model: T, real: T) -> Outcome {
    prop_assert_eq!(model, real);
    Ok(())
}
