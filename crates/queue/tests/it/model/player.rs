use std::fmt::Debug;
use std::time::Duration;

use barkeep_queue::conformance::Subject;
use barkeep_queue::{
    Blocker, Claim, Completion, Failure, FinishedJob, JobId, LeaseKey, LiveJob, NewJob, Outlook, Pause, Release, Scope,
    Select, Start, Then,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::history::{Act, Capped, Next, Which, Work};

/// Plays acts to two queues and compares what they answer. Jobs are told apart by a serial number in their payloads, since
/// ids and tokens differ.
pub(crate) struct Player<'a> {
    queues: [&'a dyn Subject; 2],
    kind: String,
    serial: u32,
    /// Every lease ever given, in either queue.
    leases: Vec<[LeaseKey; 2]>,
    /// Every job ever added by itself, in either queue.
    jobs: Vec<[JobId; 2]>,
}

type Outcome = Result<(), TestCaseError>;

impl<'a> Player<'a> {
    pub(crate) fn new(model: &'a dyn Subject, real: &'a dyn Subject, kind: String) -> Self {
        Self { queues: [model, real], kind, serial: 0, leases: Vec::new(), jobs: Vec::new() }
    }

    pub(crate) async fn play(&mut self, act: &Act) -> Outcome {
        // No two acts happen at the same instant, not even on a clock that counts milliseconds.
        self.pass(Duration::from_millis(1));
        match act {
            Act::Enqueue(work) => self.enqueue(work).await?,
            Act::Claim { limit, lease } => self.claim(*limit, *lease).await?,
            Act::Extend { leases, lease } => {
                let [model, real] = self.keys(leases);
                let [ours, theirs] = self.queues;
                agree(ours.extend(&model, *lease).await, theirs.extend(&real, *lease).await)?;
            }
            Act::Complete { leases, rest } => self.complete(leases, rest.as_ref()).await?,
            Act::Fail { leases, then } => {
                let failures = self.keys(leases).map(|keys| failures(&keys, *then));
                let [ours, theirs] = self.queues;
                agree(ours.fail(&failures[0]).await, theirs.fail(&failures[1]).await)?;
            }
            Act::Release { leases, wait } => {
                let keys = self.keys(leases);
                let [ours, theirs] = self.queues;
                let [model, real] = keys.each_ref().map(|keys| releases(keys, *wait));
                let (lost, also) = (ours.release(&model).await, theirs.release(&real).await);
                same(places(&keys[0], &lost.unwrap()), places(&keys[1], &also.unwrap()))?;
            }
            Act::Reap => {
                let [ours, theirs] = self.queues;
                agree(ours.reap().await, theirs.reap().await)?;
            }
            Act::Cancel(which) => {
                let which = self.select(which);
                let [ours, theirs] = self.queues;
                agree(ours.cancel(&which[0]).await, theirs.cancel(&which[1]).await)?;
            }
            Act::Reprioritise(which, priority) => {
                let which = self.select(which);
                let [ours, theirs] = self.queues;
                agree(ours.reprioritise(&which[0], *priority).await, theirs.reprioritise(&which[1], *priority).await)?;
            }
            Act::RetryFailed(which) => {
                let which = self.select(which);
                let [ours, theirs] = self.queues;
                agree(ours.retry_failed(&which[0]).await, theirs.retry_failed(&which[1]).await)?;
            }
            Act::Pause { group } => {
                let pause = self.pause(*group);
                for queue in self.queues {
                    queue.pause(&pause).await.unwrap();
                }
            }
            Act::Resume { group } => {
                let pause = self.pause(*group);
                let [ours, theirs] = self.queues;
                agree(ours.resume(&pause).await, theirs.resume(&pause).await)?;
            }
            Act::Cap(capped, limit) => {
                self.cap(*capped, *limit).await;
                let [ours, theirs] = self.queues;
                agree(ours.caps().await, theirs.caps().await)?;
                let (one, other) = (ours.outlook(&self.kind).await.unwrap(), theirs.outlook(&self.kind).await.unwrap());
                same(timeless(&one), timeless(&other))?;
            }
            Act::Pass(time) => self.pass(*time),
        }
        self.compare().await
    }

    /// Compares what has become of everything, and leaves nothing behind for the next history.
    pub(crate) async fn finish(&mut self) -> Outcome {
        for capped in [Capped::All, Capped::Kind, Capped::Group(0), Capped::Group(1)] {
            self.cap(capped, None).await;
        }
        for group in [false, true] {
            let pause = self.pause(group);
            for queue in self.queues {
                queue.resume(&pause).await.unwrap();
            }
        }
        self.pass(Duration::from_millis(1));
        for queue in self.queues {
            queue.cancel(&Select::all()).await.unwrap();
        }
        self.pass(Duration::from_secs(100_000));
        let [ours, theirs] = self.queues;
        agree(ours.reap().await, theirs.reap().await)?;
        self.compare().await?;
        let [ended, also] = [ours.failed(&self.kind, 1_000).await, theirs.failed(&self.kind, 1_000).await]
            .map(|failed| failed.unwrap().iter().map(shown).collect::<Vec<_>>());
        same(ended, also)?;
        for (ours_id, theirs_id) in self.jobs.iter().map(|ids| (ids[0], ids[1])) {
            let [one, other] = [ours.finished(&[ours_id]).await, theirs.finished(&[theirs_id]).await]
                .map(|ended| ended.unwrap().iter().map(shown).collect::<Vec<_>>());
            prop_assert_eq!(one.len(), 1, "no job is lost");
            same(one, other)?;
        }
        Ok(())
    }

    async fn enqueue(&mut self, work: &[Work]) -> Outcome {
        let jobs: Vec<NewJob> = work.iter().map(|work| self.new_job(work)).collect();
        let [ours, theirs] = self.queues;
        let (ids, also) = (ours.enqueue(&jobs).await.unwrap(), theirs.enqueue(&jobs).await.unwrap());
        let added = |ids: &[Option<JobId>]| ids.iter().map(Option::is_some).collect::<Vec<_>>();
        same(added(&ids), added(&also))?;
        self.jobs.extend(ids.into_iter().flatten().zip(also.into_iter().flatten()).map(<[_; 2]>::from));
        Ok(())
    }

    async fn claim(&mut self, limit: u16, lease: Duration) -> Outcome {
        let claim = Claim::new(&self.kind, "worker").with_limit(limit).with_lease(lease);
        let [ours, theirs] = self.queues;
        let (leases, also) = (ours.claim(&claim).await.unwrap(), theirs.claim(&claim).await.unwrap());
        let shown = |leases: &[barkeep_queue::Lease]| {
            let shown = |lease: &barkeep_queue::Lease| {
                (lease.payload.clone(), lease.key.clone(), lease.priority, lease.attempt, lease.crashes)
            };
            leases.iter().map(shown).collect::<Vec<_>>()
        };
        same(shown(&leases), shown(&also))?;
        self.leases.extend(leases.iter().zip(&also).map(|(one, other)| [one.key(), other.key()]));
        Ok(())
    }

    async fn complete(&mut self, leases: &[usize], rest: Option<&Work>) -> Outcome {
        let rest: Vec<NewJob> = rest.iter().map(|work| self.new_job(work)).collect();
        let keys = self.keys(leases);
        let done = |keys: &[LeaseKey]| -> Vec<Completion> {
            let mut done: Vec<_> = keys.iter().map(|key| Completion::new(*key).with_cost(2)).collect();
            if let Some(first) = done.first_mut() {
                *first = first.clone().with_rest(rest.clone()).with_result(json!({"part": 1}));
            }
            done
        };
        let [ours, theirs] = self.queues;
        let (lost, also) = (ours.complete(&done(&keys[0])).await, theirs.complete(&done(&keys[1])).await);
        same(places(&keys[0], &lost.unwrap()), places(&keys[1], &also.unwrap()))
    }

    /// Every live job, and how many are in which state.
    async fn compare(&self) -> Outcome {
        let [ours, theirs] = self.queues;
        let mut states = Vec::new();
        for queue in [ours, theirs] {
            let mut live: Vec<_> = queue.live(&self.kind).await.unwrap().iter().map(standing).collect();
            live.sort();
            let counts = queue.counts().await.unwrap().remove(&self.kind).unwrap_or_default();
            states.push((live, counts));
        }
        prop_assert_eq!(&states[0], &states[1]);
        Ok(())
    }

    async fn cap(&self, capped: Capped, limit: Option<u32>) {
        let scope = match capped {
            Capped::All => Scope::All,
            Capped::Kind => Scope::Kind(self.kind.clone()),
            Capped::Group(group) => Scope::Group(group.to_string()),
        };
        for queue in self.queues {
            queue.set_cap(&scope, limit).await.unwrap();
        }
    }

    fn pass(&self, time: Duration) {
        for queue in self.queues {
            queue.advance(time);
        }
    }

    fn new_job(&mut self, work: &Work) -> NewJob {
        self.serial += 1;
        let mut job = NewJob::new(&self.kind, json!(self.serial))
            .with_priority(work.priority)
            .with_start(work.wait.map_or(Start::Now, Start::After))
            .with_max_attempts(work.max_attempts);
        job.key = work.key.map(|key| key.to_string());
        job.group = work.group.map(|group| group.to_string());
        job
    }

    fn keys(&self, leases: &[usize]) -> [Vec<LeaseKey>; 2] {
        // Counted from the latest, so that some of them are still held.
        let named = |place: &usize| self.leases.iter().rev().nth(*place);
        let found: Vec<_> = leases.iter().filter_map(named).collect();
        [0, 1].map(|queue| found.iter().map(|keys| keys[queue]).collect())
    }

    fn select(&self, which: &Which) -> [Select; 2] {
        [0, 1].map(|queue| {
            match which {
                Which::Everything => Select::all(),
                Which::Jobs(places) => Select::jobs(
                    places.iter().filter_map(|place| self.jobs.iter().rev().nth(*place)).map(|ids| ids[queue]),
                ),
                Which::Group(group) => Select::all().of_group(group.to_string()),
                Which::Code => Select::all().with_code("FLAKY"),
            }
            .of_kind(&self.kind)
        })
    }

    fn pause(&self, group: bool) -> Pause {
        if group { Pause::Group("0".to_owned()) } else { Pause::Kind(self.kind.clone()) }
    }
}

fn failures(keys: &[LeaseKey], then: Next) -> Vec<Failure> {
    let then = match then {
        Next::After(wait) => Then::After(wait),
        Next::Discard => Then::Discard,
    };
    keys.iter().map(|key| Failure::new(*key, "FLAKY", "again").then(then)).collect()
}

fn releases(keys: &[LeaseKey], wait: Duration) -> Vec<Release> {
    keys.iter().map(|key| Release::new(*key).with_wait(wait)).collect()
}

/// Which of the keys are among those lost.
fn places(keys: &[LeaseKey], lost: &[LeaseKey]) -> Vec<bool> {
    keys.iter().map(|key| lost.contains(key)).collect()
}

/// What can be claimed and what holds the rest back; but for times, in which the clocks differ.
fn timeless(outlook: &Outlook) -> (u64, Vec<String>) {
    let told = |blocker: &Blocker| match blocker {
        Blocker::NotDue { jobs, .. } => format!("{jobs} not due"),
        other => format!("{other:?}"),
    };
    (outlook.claimable, outlook.blockers.iter().map(told).collect())
}

fn standing(job: &LiveJob) -> (String, String) {
    let shown = (&job.key, &job.group, job.priority, job.state, job.attempt, &job.code);
    (job.payload.to_string(), format!("{shown:?}"))
}

fn shown(job: &FinishedJob) -> (Value, Value, String) {
    let shown = (&job.key, &job.group, job.outcome, job.failures, job.crashes, job.cost, &job.worker, &job.code);
    (job.payload.clone(), job.result.clone(), format!("{shown:?} {:?} {:?}", job.message, job.parent.is_some()))
}

fn agree<T: PartialEq + Debug>(model: barkeep_queue::Result<T>, real: barkeep_queue::Result<T>) -> Outcome {
    same(model.unwrap(), real.unwrap())
}

fn same<T: PartialEq + Debug>(model: T, real: T) -> Outcome {
    prop_assert_eq!(model, real);
    Ok(())
}
