use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

/// Something that happens to a queue. Jobs are named by number, leases by the order in which they were given, however long
/// ago: most keys that are used are stale, as those of a worker that woke up late.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Enqueue(Vec<Work>),
    Claim { limit: u16, lease: Duration },
    Extend { leases: Vec<usize>, lease: Duration },
    Complete { leases: Vec<usize>, rest: Option<Work> },
    Fail { leases: Vec<usize>, then: Next },
    Release { leases: Vec<usize>, wait: Duration },
    Reap,
    Cancel(Which),
    Reprioritise(Which, i16),
    RetryFailed(Which),
    Pause { group: bool },
    Resume { group: bool },
    Cap(Capped, Option<u32>),
    Pass(Duration),
}

/// A job to be added.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// None: a job without a key.
    pub key: Option<u8>,
    pub priority: i16,
    pub group: Option<u8>,
    pub wait: Option<Duration>,
    pub max_attempts: u16,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    After(Duration),
    Discard,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Capped {
    All,
    Kind,
    Group(u8),
}

#[derive(Clone, Debug)]
pub(crate) enum Which {
    Everything,
    Jobs(Vec<usize>),
    Group(u8),
    Code,
}

/// Time passes in steps of 1,000 s, while waits and leases end halfway between two steps: how long a real database takes
/// for a history cannot change what happens in it.
const STEP: u64 = 1_000;

fn ends() -> impl Strategy<Value = Duration> {
    (0_u64..4).prop_map(|steps| Duration::from_secs(steps * STEP + STEP / 2))
}

fn work() -> impl Strategy<Value = Work> {
    (
        prop::option::weighted(0.8, 0_u8..6),
        -1_i16..=1,
        prop::option::of(0_u8..2),
        prop::option::weighted(0.3, ends()),
        1_u16..=3,
    )
        .prop_map(|(key, priority, group, wait, max_attempts)| Work { key, priority, group, wait, max_attempts })
}

fn leases() -> impl Strategy<Value = Vec<usize>> {
    vec(0_usize..12, 1..4)
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        1 => Just(Which::Everything),
        4 => vec(0_usize..16, 0..4).prop_map(Which::Jobs),
        2 => (0_u8..2).prop_map(Which::Group),
        1 => Just(Which::Code),
    ]
}

fn capped() -> impl Strategy<Value = Capped> {
    prop_oneof![Just(Capped::All), Just(Capped::Kind), (0_u8..2).prop_map(Capped::Group)]
}

fn act() -> impl Strategy<Value = Act> {
    let next = prop_oneof![3 => ends().prop_map(Next::After), 1 => Just(Next::Discard)];
    prop_oneof![
        6 => vec(work(), 1..5).prop_map(Act::Enqueue),
        8 => (0_u16..4, ends()).prop_map(|(limit, lease)| Act::Claim { limit, lease }),
        3 => (leases(), ends()).prop_map(|(leases, lease)| Act::Extend { leases, lease }),
        5 => (leases(), prop::option::weighted(0.3, work()))
            .prop_map(|(leases, rest)| Act::Complete { leases, rest }),
        4 => (leases(), next).prop_map(|(leases, then)| Act::Fail { leases, then }),
        2 => (leases(), prop_oneof![Just(Duration::ZERO), ends()])
            .prop_map(|(leases, wait)| Act::Release { leases, wait }),
        4 => Just(Act::Reap),
        1 => which().prop_map(Act::Cancel),
        1 => (which(), -1_i16..=1).prop_map(|(which, priority)| Act::Reprioritise(which, priority)),
        1 => which().prop_map(Act::RetryFailed),
        1 => any::<bool>().prop_map(|group| Act::Pause { group }),
        2 => any::<bool>().prop_map(|group| Act::Resume { group }),
        3 => (capped(), prop::option::weighted(0.7, 0_u32..5)).prop_map(|(scope, limit)| Act::Cap(scope, limit)),
        6 => (1_u64..4).prop_map(|steps| Act::Pass(Duration::from_secs(steps * STEP))),
    ]
}

pub(crate) fn history() -> impl Strategy<Value = Vec<Act>> {
    vec(act(), 1..40)
}
