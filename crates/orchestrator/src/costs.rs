//! What was spent, in requests: by day and definition, and by slice.

use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_queue::{JobId, Outcome};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::{Orchestrator, Result, SliceJob};

/// The jobs that make requests.
const KINDS: [&str; 2] = [SliceJob::KIND, SliceJob::RECHECK];

/// What was spent.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Costs {
    /// By day (UTC) and definition.
    pub lines: Vec<CostLine>,
    /// Requests a minute over the last five, as far as this process has watched: of all processes where a shared budget
    /// counts them, else of this one.
    pub requests_a_minute: Option<f64>,
}

/// What a definition's slices cost on one day.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct CostLine {
    /// The day (UTC) on which they ended.
    pub day: NaiveDate,
    /// The definition.
    pub definition: String,
    /// The slices done.
    pub slices: u64,
    /// The slices that failed for good or were cancelled.
    pub failed: u64,
    /// The requests that the planner expected of the slices done, as far as the history still holds them.
    pub expected_requests: u64,
    /// The requests made, by those that failed too.
    pub requests: u64,
}

/// What one slice cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SliceCost {
    /// The requests that the planner expected.
    pub expected_requests: u64,
    /// The requests made by the try that succeeded; `None` while there is none.
    pub requests: Option<u64>,
}

/// What was spent from the day of `since` on.
pub(crate) async fn costs(orchestrator: &Orchestrator, since: DateTime<Utc>) -> Result<Costs> {
    let backend = orchestrator.backend();
    let midnight = since.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let mut lines = BTreeMap::<(NaiveDate, String), CostLine>::new();
    for hour in backend.inspect.ledger(midnight).await? {
        if KINDS.contains(&hour.kind.as_str()) {
            let line = line(&mut lines, hour.hour.date_naive(), hour.group);
            line.slices += hour.succeeded;
            line.failed += hour.failed;
            line.requests += hour.cost;
        }
    }
    for kind in KINDS {
        for spent in backend.watch.spent(kind, midnight).await? {
            line(&mut lines, spent.day, spent.group).expected_requests += spent.expected_cost;
        }
    }
    let requests_a_minute = orchestrator.watching().history().requests_a_minute(Duration::from_secs(300));
    Ok(Costs { lines: lines.into_values().collect(), requests_a_minute })
}

fn line(lines: &mut BTreeMap<(NaiveDate, String), CostLine>, day: NaiveDate, group: Option<String>) -> &mut CostLine {
    let definition = group.unwrap_or_default();
    let new = || CostLine { day, definition: definition.clone(), ..CostLine::default() };
    lines.entry((day, definition.clone())).or_insert_with(new)
}

/// What one slice cost, if the queue or its history has it.
pub(crate) async fn slice_cost(orchestrator: &Orchestrator, job: JobId) -> Result<Option<SliceCost>> {
    let inspect = &orchestrator.backend().inspect;
    if let Some(done) = inspect.finished(&[job]).await?.into_iter().next() {
        let expected = match done.outcome {
            Outcome::Succeeded => done.result["expected_cost"].as_u64(),
            _ => SliceJob::read(&done.payload).ok().map(|slice| slice.expected_requests),
        };
        let requests = (done.outcome == Outcome::Succeeded).then_some(done.cost);
        return Ok(expected.map(|expected_requests| SliceCost { expected_requests, requests }));
    }
    let live = inspect.live(SliceJob::KIND).await?.into_iter().find(|live| live.id == job);
    let slice = live.and_then(|live| SliceJob::read(&live.payload).ok());
    Ok(slice.map(|slice| SliceCost { expected_requests: slice.expected_requests, requests: None }))
}
