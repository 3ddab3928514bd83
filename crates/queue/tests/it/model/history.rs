use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

/// One step of a history: what happens, and through which handle of the queue. Two handles stand for two processes: what
/// one of them remembers, the other does not know.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub handle: usize,
    pub act: Act,
}

/// Something that happens to a queue. Jobs are named by number, leases by the order in which they were given, however long
/// ago: many keys that are used are stale, as those of a worker that woke up late, and some are used twice in one call.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Enqueue(Vec<Work>),
    /// A worker that did not hear the answer has died: nobody uses those leases.
    Claim {
        kind: Kind,
        worker: u8,
        limit: u16,
        lease: Duration,
        heard: bool,
    },
    Extend {
        leases: Vec<usize>,
        lease: Duration,
    },
    Complete(Vec<(usize, Vec<Work>)>),
    Fail(Vec<(usize, Next)>),
    Release(Vec<(usize, Duration)>),
    Spend(Vec<(usize, u64)>),
    Reap,
    Cancel(Which),
    Reprioritise(Which, i16),
    RetryFailed(Which),
    Pause(Paused),
    Resume(Paused),
    Cap(Capped, Option<u32>),
    SetBudget {
        day_limit: Option<u64>,
    },
    Reserve {
        wanted: u32,
    },
    Block(Duration),
    SpendFrom {
        kind: Kind,
        budget: bool,
    },
    Lock(Duration),
    ExtendLock {
        place: usize,
        lease: Duration,
    },
    Unlock {
        place: usize,
    },
    Prune {
        keep: Duration,
    },
    Pass(Duration),
    /// Everything that can be looked at.
    Look(Kind),
}

/// A job to be added.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub kind: Kind,
    /// None: a job without a key.
    pub key: Option<u8>,
    pub priority: i16,
    pub group: Option<u8>,
    pub start: Begin,
    pub max_attempts: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Common,
    Rare,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    Now,
    After(Duration),
    /// Counted from when the history began.
    At(Duration),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    After(Duration),
    Discard,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Paused {
    Kind(Kind),
    Group(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Capped {
    All,
    Kind(Kind),
    Group(u8),
}

#[derive(Clone, Debug)]
pub(crate) enum Which {
    Everything,
    Jobs(Vec<usize>),
    Group(u8),
    Code,
}

impl Act {
    /// Whether it may change any job. What it does all the same is seen after the next one that may.
    pub(crate) fn touches_jobs(&self) -> bool {
        match self {
            Self::Enqueue(_)
            | Self::Claim { .. }
            | Self::Complete(_)
            | Self::Fail(_)
            | Self::Release(_)
            | Self::Reap
            | Self::Cancel(_)
            | Self::Reprioritise(..)
            | Self::RetryFailed(_)
            | Self::Prune { .. }
            | Self::Pass(_) => true,
            Self::Extend { .. }
            | Self::Spend(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Cap(..)
            | Self::SetBudget { .. }
            | Self::Reserve { .. }
            | Self::Block(_)
            | Self::SpendFrom { .. }
            | Self::Lock(_)
            | Self::ExtendLock { .. }
            | Self::Unlock { .. }
            | Self::Look(_) => false,
        }
    }
}

/// Time passes in steps of 1,000 s, while waits and leases end halfway between two steps: how long a real database takes
/// for a history cannot change what happens in it.
pub(crate) const STEP: u64 = 1_000;

fn ends() -> impl Strategy<Value = Duration> {
    (0_u64..4).prop_map(|steps| Duration::from_secs(steps * STEP + STEP / 2))
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![5 => Just(Kind::Common), 1 => Just(Kind::Rare)]
}

fn begin() -> impl Strategy<Value = Begin> {
    prop_oneof![6 => Just(Begin::Now), 2 => ends().prop_map(Begin::After), 1 => ends().prop_map(Begin::At)]
}

fn work() -> impl Strategy<Value = Work> {
    (kind(), prop::option::weighted(0.8, 0_u8..6), -1_i16..=1, prop::option::of(0_u8..2), begin(), 1_u16..=3).prop_map(
        |(kind, key, priority, group, start, max_attempts)| Work { kind, key, priority, group, start, max_attempts },
    )
}

fn lease() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 0_usize..4, 1 => 4_usize..12]
}

/// Leases that meet their ends in one call.
fn each<T: std::fmt::Debug>(what: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<(usize, T)>> {
    vec((lease(), what), 1..4)
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        1 => Just(Which::Everything),
        4 => vec(0_usize..16, 0..4).prop_map(Which::Jobs),
        2 => (0_u8..2).prop_map(Which::Group),
        1 => Just(Which::Code),
    ]
}

fn paused() -> impl Strategy<Value = Paused> {
    prop_oneof![kind().prop_map(Paused::Kind), (0_u8..2).prop_map(Paused::Group)]
}

fn capped() -> impl Strategy<Value = Capped> {
    prop_oneof![Just(Capped::All), kind().prop_map(Capped::Kind), (0_u8..2).prop_map(Capped::Group)]
}

/// What workers do.
fn work_act() -> impl Strategy<Value = Act> {
    let next = prop_oneof![3 => ends().prop_map(Next::After), 1 => Just(Next::Discard)];
    let rest = prop_oneof![3 => Just(Vec::new()), 1 => vec(work(), 1..3)];
    let wait = prop_oneof![Just(Duration::ZERO), ends()];
    prop_oneof![
        6 => vec(work(), 1..5).prop_map(Act::Enqueue),
        10 => (kind(), 0_u8..3, 0_u16..4, ends(), prop::bool::weighted(0.9))
            .prop_map(|(kind, worker, limit, lease, heard)| Act::Claim { kind, worker, limit, lease, heard }),
        3 => (vec(lease(), 1..4), ends()).prop_map(|(leases, lease)| Act::Extend { leases, lease }),
        5 => each(rest).prop_map(Act::Complete),
        4 => each(next).prop_map(Act::Fail),
        2 => each(wait).prop_map(Act::Release),
        1 => each(0_u64..5).prop_map(Act::Spend),
        4 => Just(Act::Reap),
        6 => (1_u64..4).prop_map(|steps| Act::Pass(Duration::from_secs(steps * STEP))),
    ]
}

/// What operators do.
fn control_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => which().prop_map(Act::Cancel),
        2 => (which(), -1_i16..=1).prop_map(|(which, priority)| Act::Reprioritise(which, priority)),
        2 => which().prop_map(Act::RetryFailed),
        1 => paused().prop_map(Act::Pause),
        2 => paused().prop_map(Act::Resume),
        4 => (capped(), prop::option::weighted(0.7, 0_u32..5)).prop_map(|(scope, limit)| Act::Cap(scope, limit)),
        1 => ends().prop_map(|keep| Act::Prune { keep }),
        3 => kind().prop_map(Act::Look),
    ]
}

/// What is shared besides jobs.
fn shared_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => prop::option::of(1_u64..6).prop_map(|day_limit| Act::SetBudget { day_limit }),
        2 => (1_u32..4).prop_map(|wanted| Act::Reserve { wanted }),
        1 => ends().prop_map(Act::Block),
        1 => (kind(), any::<bool>()).prop_map(|(kind, budget)| Act::SpendFrom { kind, budget }),
        1 => ends().prop_map(Act::Lock),
        1 => (0_usize..3, ends()).prop_map(|(place, lease)| Act::ExtendLock { place, lease }),
        1 => (0_usize..3).prop_map(|place| Act::Unlock { place }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![12 => work_act(), 3 => control_act(), 1 => shared_act()];
    let handle = prop_oneof![3 => Just(0_usize), 1 => Just(1_usize)];
    (handle, act).prop_map(|(handle, act)| Step { handle, act })
}

/// Most are short, which is quick; some are long enough for a job to end by its fifth crash.
pub(crate) fn history() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![4 => vec(step(), 1..24), 1 => vec(step(), 24..48)]
}
