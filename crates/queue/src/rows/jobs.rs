//! Jobs on their way in, and leases on their way out.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::value;
use crate::floor::Place;
use crate::{Claim, JobId, Lease, LeaseKey, NewJob, Result, Start, Token, check};

/// A job to be added.
#[derive(Clone, Debug, Serialize)]
pub struct JobRow<'a> {
    pub kind: &'a str,
    pub key: Option<&'a str>,
    pub group_name: Option<&'a str>,
    pub payload: String,
    pub rank: i16,
    pub max_attempts: i16,
    pub wait_us: i64,
    pub start_at_us: Option<i64>,
    pub parent: Option<i64>,
}

impl<'a> JobRow<'a> {
    pub(crate) fn checked(what: impl Display, job: &'a NewJob) -> Result<Self> {
        check::kind(format_args!("{what}.kind"), &job.kind)?;
        job.key.as_deref().map_or(Ok(()), |key| check::text(format_args!("{what}.key"), key, 512))?;
        job.group.as_deref().map_or(Ok(()), |group| check::group(format_args!("{what}.group"), group))?;
        check::priority(format_args!("{what}.priority"), job.priority)?;
        check::attempts(format_args!("{what}.max_attempts"), job.max_attempts)?;
        let (wait_us, start_at_us) = match job.start {
            Start::Now => (0, None),
            Start::After(wait) => (check::wait(format_args!("{what}.start"), wait)?, None),
            Start::At(at) => (0, Some(at.timestamp_micros())),
        };
        Ok(Self {
            kind: &job.kind,
            key: job.key.as_deref(),
            group_name: job.group.as_deref(),
            payload: check::json(format_args!("{what}.payload"), &job.payload)?,
            rank: -job.priority,
            max_attempts: job.max_attempts.cast_signed(),
            wait_us,
            start_at_us,
            parent: None,
        })
    }
}

/// What a claim asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRow<'a> {
    pub kind: &'a str,
    pub limit: i32,
    pub lease_us: i64,
    pub token: Uuid,
    pub worker: &'a str,
    /// Where to start looking.
    pub floor: Option<Place>,
}

impl<'a> ClaimRow<'a> {
    pub(crate) fn checked(claim: &'a Claim) -> Result<Self> {
        check::kind("claim.kind", &claim.kind)?;
        check::text("claim.worker", &claim.worker, 128)?;
        check::rule("claim.limit", claim.limit <= check::MAX_CLAIM, "is above 10,000")?;
        Ok(Self {
            kind: &claim.kind,
            limit: claim.limit.into(),
            lease_us: check::lease("claim.lease", claim.lease)?,
            token: Token::random().0,
            worker: &claim.worker,
            floor: None,
        })
    }
}

/// A proof of a lease, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct KeyRow {
    pub id: i64,
    pub token: Uuid,
}

impl From<LeaseKey> for KeyRow {
    fn from(key: LeaseKey) -> Self {
        Self { id: key.id.number(), token: key.token.0 }
    }
}

/// What claim.sql answers, with times as the database has them.
pub(crate) type LeaseColumns<T> = (i64, T, Option<String>, Option<String>, String, i16, i16, i16, i16, T);

/// A lease, and the place that its job had in the order in which jobs are served.
pub(crate) type LeaseRow = (Lease, Place);

pub(crate) fn lease<T>(columns: LeaseColumns<T>, claim: &ClaimRow<'_>, instant: fn(T) -> DateTime<Utc>) -> LeaseRow {
    let (id, until, key, group, payload, rank, failures, max_attempts, crashes, run_at) = columns;
    let (until, due_us) = (instant(until), instant(run_at).timestamp_micros());
    let waited_us = until.timestamp_micros() - claim.lease_us - due_us;
    let place = (rank, due_us, id);
    let lease = Lease {
        id: JobId::new(id),
        token: Token(claim.token),
        kind: claim.kind.to_owned(),
        key,
        group,
        payload: value(&payload),
        priority: -rank,
        attempt: failures.cast_unsigned() + 1,
        max_attempts: max_attempts.cast_unsigned(),
        crashes: crashes.cast_unsigned(),
        until,
        waited: std::time::Duration::from_micros(waited_us.max(0).cast_unsigned()),
        fence: None,
    };
    (lease, place)
}

/// A job that is new: id, kind, key.
pub(crate) type AddedColumns = (i64, String, Option<String>);

/// Of each job its id, if it is new. Jobs with a key are told by it; those without are all added, and their ids rise as
/// asked.
pub(crate) fn ids_of(jobs: &[JobRow<'_>], mut added: Vec<AddedColumns>) -> Vec<Option<i64>> {
    added.sort_unstable_by_key(|(id, ..)| *id);
    let mut added = added.into_iter().peekable();
    let mut id_of = |job: &JobRow<'_>| {
        let is_it = |(_, kind, key): &AddedColumns| kind == job.kind && key.as_deref() == job.key;
        added.next_if(is_it).map(|(id, ..)| id)
    };
    jobs.iter().map(&mut id_of).collect()
}
