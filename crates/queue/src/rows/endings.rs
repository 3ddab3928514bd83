//! How leases end.

use std::collections::HashSet;
use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{JobRow, KeyRow, outcome_of};
use crate::{Completion, Failure, Outcome, Release, Result, Spending, Then, check};

/// A job that was done.
#[derive(Clone, Debug, Serialize)]
pub struct DoneRow {
    #[serde(flatten)]
    pub key: KeyRow,
    pub result: Option<String>,
    pub cost: i64,
}

impl DoneRow {
    pub(crate) fn checked(what: impl Display, done: &Completion) -> Result<Self> {
        let result = match &done.result {
            Value::Null => None,
            result => Some(check::json(format_args!("{what}.result"), result)?),
        };
        Ok(Self { key: done.lease.into(), result, cost: stored_cost(done.cost) })
    }
}

/// A lease that ends without success.
#[derive(Clone, Debug, Serialize)]
pub struct SettleRow {
    #[serde(flatten)]
    pub key: KeyRow,
    pub ending: Ending,
    pub code: Option<String>,
    pub message: Option<String>,
    pub is_final: bool,
    pub first_us: i64,
    pub longest_us: i64,
    pub jitter: f64,
    pub cost: i64,
}

/// How a lease ends without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Ending {
    #[serde(rename = "f")]
    Failed,
    #[serde(rename = "r")]
    Released,
    #[serde(rename = "c")]
    Crashed,
}

impl Ending {
    #[cfg(feature = "postgres")]
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Failed => "f",
            Self::Released => "r",
            Self::Crashed => "c",
        }
    }
}

impl SettleRow {
    pub(crate) fn failed(what: impl Display, failure: &Failure) -> Result<Self> {
        check::text(format_args!("{what}.code"), &failure.code, 64)?;
        let (first, longest, jitter) = match failure.then {
            Then::Backoff(backoff) => (backoff.first, backoff.longest, jitter()),
            Then::After(wait) => (wait, wait, 1.0),
            Then::Discard => Default::default(),
        };
        Ok(Self {
            key: failure.lease.into(),
            ending: Ending::Failed,
            code: Some(failure.code.clone()),
            message: Some(check::message(&failure.message)),
            is_final: failure.then == Then::Discard,
            first_us: check::wait(format_args!("{what}.then"), first)?,
            longest_us: check::wait(format_args!("{what}.then"), longest)?,
            jitter,
            cost: stored_cost(failure.cost),
        })
    }

    pub(crate) fn released(what: impl Display, release: &Release) -> Result<Self> {
        let wait_us = check::wait(format_args!("{what}.wait"), release.wait)?;
        Ok(Self {
            key: release.lease.into(),
            ending: Ending::Released,
            code: None,
            message: None,
            is_final: false,
            first_us: wait_us,
            longest_us: wait_us,
            jitter: 1.0,
            cost: stored_cost(release.cost),
        })
    }

    pub(crate) fn crashed(key: KeyRow) -> Self {
        Self {
            key,
            ending: Ending::Crashed,
            code: Some("CRASHED".to_owned()),
            message: None,
            is_final: false,
            first_us: 0,
            longest_us: 0,
            jitter: 1.0,
            cost: 0,
        }
    }
}

/// What a try has cost so far.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SpendRow {
    #[serde(flatten)]
    pub key: KeyRow,
    pub cost: i64,
}

impl From<&Spending> for SpendRow {
    fn from(spending: &Spending) -> Self {
        Self { key: spending.lease.into(), cost: stored_cost(spending.cost) }
    }
}

/// The most that is stored is what a sum of very many still fits with.
fn stored_cost(cost: u64) -> i64 {
    i64::from(u32::try_from(cost).unwrap_or(u32::MAX))
}

/// From 0.5 to 1, out of the same randomness as the tokens.
fn jitter() -> f64 {
    let random = Uuid::new_v4().as_u64_pair().1 as u32;
    0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0
}

/// What became of a lease in settle.sql.
#[derive(Clone, Copy, Debug)]
pub struct SettledRow {
    pub key: KeyRow,
    pub outcome: Option<Outcome>,
    pub wait_us: i64,
}

/// What settle.sql answers: id, token, outcome, wait.
pub(crate) type SettledColumns<T> = (i64, T, Option<i32>, i64);

/// After how many crashes a job ends, because it may be what kills its workers.
pub(crate) const MAX_CRASHES: i32 = 5;

/// Of the jobs left undone, those left by leases that stood. A job's id alone would not do: an older lease of the same job
/// may be asked about in the same call.
pub(crate) fn rest_of<'a>(ended: &[KeyRow], rest: &[(KeyRow, JobRow<'a>)]) -> Vec<JobRow<'a>> {
    let stood: HashSet<&KeyRow> = ended.iter().collect();
    rest.iter().filter(|(key, _)| stood.contains(key)).map(|(_, job)| job.clone()).collect()
}

pub(crate) fn settled<T>(columns: SettledColumns<T>, token: fn(T) -> Uuid) -> SettledRow {
    let (id, text, outcome, wait_us) = columns;
    let outcome = outcome.map(outcome_of);
    SettledRow { key: KeyRow { id, token: token(text) }, outcome, wait_us }
}
