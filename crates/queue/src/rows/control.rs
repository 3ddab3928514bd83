//! Which jobs are meant, what keeps them from being claimed, and locks.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::blocker::Waiting;
use crate::{Cancelled, Cap, Scope, Select};

/// A lock, as it is asked for or proved.
#[derive(Clone, Copy, Debug)]
pub struct LockRow<'a> {
    pub name: &'a str,
    pub holder: &'a str,
    pub token: Uuid,
    pub lease_us: i64,
}

/// Which jobs.
#[derive(Clone, Debug)]
pub struct SelectRow<'a> {
    pub ids: Option<Vec<i64>>,
    pub kind: Option<&'a str>,
    pub group: Option<&'a str>,
    pub code: Option<&'a str>,
}

impl<'a> From<&'a Select> for SelectRow<'a> {
    fn from(select: &'a Select) -> Self {
        Self {
            ids: select.jobs.as_ref().map(|jobs| jobs.iter().map(|id| id.number()).collect()),
            kind: select.kind.as_deref(),
            group: select.group.as_deref(),
            code: select.code.as_deref(),
        }
    }
}

/// What cancel.sql answers: ended, asked, in between.
pub(crate) fn cancelled((ended, asked, between): (i64, i64, i64)) -> (Cancelled, u64) {
    let count = |count: i64| count.max(0).cast_unsigned();
    (Cancelled { ended: count(ended), asked: count(asked) }, count(between))
}

/// What caps.sql answers: kind, group, limit, running.
pub(crate) fn cap((kind, group, limit, running): (String, String, i32, i64)) -> Cap {
    let scope = match (kind.is_empty(), group.is_empty()) {
        (true, true) => Scope::All,
        (false, _) => Scope::Kind(kind),
        (true, false) => Scope::Group(group),
    };
    Cap::new(scope, limit.max(0).cast_unsigned(), running.max(0).cast_unsigned())
}

/// What waiting.sql answers, with times as the database has them.
pub(crate) type WaitingColumns<T> = (Option<String>, bool, i64, T);

pub(crate) fn waiting<T>(columns: WaitingColumns<T>, instant: fn(T) -> DateTime<Utc>) -> Waiting {
    let (group, is_due, jobs, first_at) = columns;
    Waiting { group, is_due, jobs: jobs.max(0).cast_unsigned(), first_at: instant(first_at) }
}
