//! What people see of jobs, live and ended.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::value;
use crate::{Attempt, FinishedJob, JobId, LedgerLine, LiveJob, LiveState, Outcome};

/// What live.sql answers.
pub(crate) type LiveColumns = (i64, Option<String>, Option<String>, String, i16, i16, Option<String>, i32);

pub(crate) fn live(columns: LiveColumns) -> LiveJob {
    let (id, key, group, payload, rank, failures, code, state) = columns;
    LiveJob {
        id: JobId::new(id),
        key,
        group,
        payload: value(&payload),
        priority: -rank,
        state: match state {
            0 => LiveState::Waiting,
            1 => LiveState::Ready,
            _ => LiveState::Running,
        },
        attempt: failures.cast_unsigned() + 1,
        code,
    }
}

/// What failed.sql and finished.sql answer, with times as the database has them.
pub(crate) type FinishedColumns<T> = (
    i64,
    Option<i64>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i16,
    i16,
    i16,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    T,
    T,
);

pub(crate) fn finished<T>(columns: FinishedColumns<T>, instant: fn(T) -> DateTime<Utc>) -> FinishedJob {
    let (
        id,
        parent,
        kind,
        key,
        group,
        payload,
        result,
        outcome,
        failures,
        crashes,
        cost,
        worker,
        code,
        message,
        created,
        finished,
    ) = columns;
    let json = |text: Option<String>| text.as_deref().map_or(Value::Null, value);
    FinishedJob {
        id: JobId::new(id),
        parent: parent.map(JobId::new),
        kind,
        key,
        group,
        payload: json(payload),
        result: json(result),
        outcome: outcome_of(outcome.into()),
        failures: failures.cast_unsigned(),
        crashes: crashes.cast_unsigned(),
        cost: cost.max(0).cast_unsigned(),
        worker,
        code,
        message,
        created_at: instant(created),
        finished_at: instant(finished),
    }
}

pub(crate) fn outcome_of(number: i32) -> Outcome {
    match number {
        0 => Outcome::Succeeded,
        1 => Outcome::Failed,
        _ => Outcome::Cancelled,
    }
}

/// What attempts.sql answers, with times as the database has them.
pub(crate) type AttemptColumns<T> = (i16, String, String, Option<String>, T, T);

pub(crate) fn attempt<T>(columns: AttemptColumns<T>, instant: fn(T) -> DateTime<Utc>) -> Attempt {
    let (attempt, worker, code, message, started, finished) = columns;
    Attempt {
        attempt: attempt.cast_unsigned(),
        worker,
        code,
        message,
        started_at: instant(started),
        finished_at: instant(finished),
    }
}

/// What ledger.sql answers, with times as the database has them.
pub(crate) type LedgerColumns<T> = (T, String, Option<String>, Option<i64>, Option<i64>, i64);

pub(crate) fn ledger_line<T>(columns: LedgerColumns<T>, instant: fn(T) -> DateTime<Utc>) -> LedgerLine {
    let (hour, kind, group, succeeded, failed, cost) = columns;
    let count = |count: Option<i64>| count.unwrap_or(0).max(0).cast_unsigned();
    LedgerLine {
        hour: instant(hour),
        kind,
        group,
        succeeded: count(succeeded),
        failed: count(failed),
        cost: count(Some(cost)),
    }
}
