//! Workers that show themselves.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{Presence, Result, WorkerId, WorkerState, check};

/// A worker that shows itself.
#[derive(Clone, Debug)]
pub struct WorkerRow<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub host: &'a str,
    pub pid: i64,
    pub version: &'a str,
    /// A JSON array.
    pub kinds: String,
    pub running: i64,
    pub lease_us: i64,
}

impl<'a> WorkerRow<'a> {
    pub(crate) fn checked(worker: &'a Presence) -> Result<Self> {
        check::text("worker.name", &worker.name, 128)?;
        check::told("worker.host", &worker.host, 255)?;
        check::told("worker.version", &worker.version, 64)?;
        for (place, kind) in worker.kinds.iter().enumerate() {
            check::kind(format_args!("worker.kinds[{place}]"), kind)?;
        }
        Ok(Self {
            id: worker.id.0,
            name: &worker.name,
            host: &worker.host,
            pid: worker.pid.into(),
            version: &worker.version,
            kinds: Value::from(worker.kinds.clone()).to_string(),
            running: worker.running.into(),
            lease_us: check::lease("worker.lease", worker.lease)?,
        })
    }
}

/// What workers.sql answers, with ids and times as the database has them.
pub(crate) type WorkerColumns<I, T> = (I, String, String, i64, String, String, i64, T, T, bool);

pub(crate) fn worker<I, T>(
    columns: WorkerColumns<I, T>,
    id: fn(I) -> Uuid,
    instant: fn(T) -> DateTime<Utc>,
) -> WorkerState {
    let (own, name, host, pid, version, kinds, running, started, seen, is_alive) = columns;
    WorkerState {
        id: WorkerId(id(own)),
        name,
        host,
        pid: u32::try_from(pid).unwrap_or(0),
        version,
        kinds: serde_json::from_str(&kinds).unwrap_or_default(),
        running: running.max(0).cast_unsigned(),
        started_at: instant(started),
        seen_at: instant(seen),
        is_alive,
    }
}
