//! Adjusted series whose past a corporate action has rewritten: doubted, so that they are fetched anew.

use std::collections::BTreeSet;
use std::time::Duration;

use barkeep_catalog::Definition;
use barkeep_store::{Span, State};
use barkeep_types::{Series, TimeRange};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::clock::Moment;
use crate::dispatch::all_series;
use crate::{Error, Orchestrator, Result};

/// How often the vendor is asked.
pub(crate) const EVERY: Duration = Duration::from_secs(3600);
/// How many days back: actions may be told late.
const DAYS_BACK: u64 = 6;
/// For how long after an action bars may have been fetched that do not know of it yet, and how long such bars are left
/// alone at a time: they are fetched anew three times at most.
const LATE: TimeDelta = TimeDelta::days(3);
const LEFT_ALONE: TimeDelta = TimeDelta::hours(24);

/// Doubts what corporate actions of the last days made stale, if the vendor tells; returns how many series.
pub(crate) async fn doubt_rewritten(
    orchestrator: &Orchestrator,
    definitions: &[Definition],
    moment: Moment,
) -> Result<u64> {
    let Some(reference) = orchestrator.reference() else { return Ok(0) };
    let series = adjusted(definitions);
    if series.is_empty() || !orchestrator.is_time_to_ask_for_actions() {
        return Ok(0);
    }
    let zone = orchestrator.calendar().time_zone();
    let today = moment.database.with_timezone(&zone).date_naive();
    let first = today - Days::new(DAYS_BACK);
    let mut candidates = reference.rewritten(&series, first..=today).await.map_err(Error::Reference)?;
    let mut doubted = BTreeSet::new();
    for day in first.iter_days().take_while(|day| *day <= today) {
        if candidates.is_empty() {
            break;
        }
        let rewritten = reference.rewritten(&candidates, day..=day).await.map_err(Error::Reference)?;
        let coverage = orchestrator.backend().store.coverage(&rewritten, TimeRange::ALWAYS).await?;
        for (series, spans) in rewritten.iter().zip(coverage) {
            for span in spans.iter().filter(|span| is_stale(span, day, zone, moment.database)) {
                orchestrator.backend().store.suspect(series, span.range).await?;
                doubted.insert(series.clone());
            }
        }
        candidates.retain(|series| !doubted.contains(series));
    }
    orchestrator.asked_for_actions();
    for series in &doubted {
        tracing::info!(%series, "rewritten by a corporate action; fetched anew");
    }
    Ok(doubted.len() as u64)
}

/// Every adjusted series of the definitions.
fn adjusted(definitions: &[Definition]) -> Vec<Series> {
    let adjusted = definitions.iter().filter(|definition| definition.adjustment.rewrites_history());
    adjusted.flat_map(all_series).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether bars were fetched before an action of that day was sure to be known to the vendor.
fn is_stale(span: &Span, day: NaiveDate, zone: Tz, now: DateTime<Utc>) -> bool {
    let midnight = day.and_time(NaiveTime::MIN).and_local_timezone(zone).earliest();
    let Some(begun) = midnight.map(|midnight| midnight.with_timezone(&Utc)) else { return false };
    let is_older = span.fetched_at < begun;
    let is_doubtful = span.fetched_at < begun + LATE && now - span.fetched_at >= LEFT_ALONE;
    span.state != State::Suspect && (is_older || is_doubtful)
}
