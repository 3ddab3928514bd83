//! Bars that other hands brought into the store, and that cannot stay: found by reading all of them.

use std::fmt;

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_store::{StoreExt, Withdrawal};
use barkeep_types::{Bar, Hours, Series, TimeRange};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use serde::Serialize;

use crate::{Orchestrator, Result};

/// The most wrong bars of one pass over a series; what is beyond is found by the next.
const MOST: usize = 10_000;

/// Whether to repair, or to look first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Repair {
    /// Reports, and changes nothing.
    #[default]
    DryRun,
    /// Moves what is wrong into quarantine, and has what was impossible fetched again.
    Withdraw,
}

/// What is wrong with a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum Wrong {
    /// Its numbers cannot be true.
    Impossible,
    /// It starts where no bar of its timeframe does, in the time of one that is there.
    Doubled,
    /// It starts where no bar of its timeframe does.
    OffGrid,
    /// The market was closed, after-hours included.
    OutOfSession,
}

/// A bar that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WrongBar {
    /// Whose it is.
    #[serde(flatten)]
    pub series: Series,
    /// Where it starts.
    pub start: DateTime<Utc>,
    /// What is wrong with it.
    pub wrong: Wrong,
    /// The same for people, with every reason.
    pub why: String,
}

/// What a repair found, and did.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct RepairReport {
    /// How many bars were looked at.
    pub bars_checked: u64,
    /// What is wrong, by series and start; 10,000 of a series at most.
    pub wrong: Vec<WrongBar>,
    /// How many bars went into quarantine.
    pub withdrawn: u64,
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Impossible => "impossible",
            Self::Doubled => "beside the bar of its time",
            Self::OffGrid => "starts where no bar does",
            Self::OutOfSession => "in closed time",
        })
    }
}

pub(crate) async fn repair(orchestrator: &Orchestrator, how: Repair) -> Result<RepairReport> {
    let backend = orchestrator.backend();
    let mut report = RepairReport::default();
    for series in backend.store.series().await? {
        let (checked, wrong) = look(orchestrator, &series).await?;
        report.bars_checked += checked;
        if how == Repair::Withdraw && !wrong.is_empty() {
            for bar in wrong.iter().filter(|bar| bar.wrong == Wrong::Impossible) {
                // First: what is gone must not be taken for a time without a trade.
                if let Some(time) = calendar(orchestrator, &series).bar_at(series.timeframe, bar.start) {
                    backend.store.suspect(&series, time).await?;
                }
            }
            let gone = |bar: &WrongBar| Withdrawal { start: bar.start, reason: bar.why.clone() };
            let gone: Vec<Withdrawal> = wrong.iter().map(gone).collect();
            report.withdrawn += backend.upkeep.withdraw(&series, &gone).await?;
        }
        report.wrong.extend(wrong);
    }
    Ok(report)
}

/// Reads a series, and tells how many bars it has and which are wrong.
async fn look(orchestrator: &Orchestrator, series: &Series) -> Result<(u64, Vec<WrongBar>)> {
    let (mut checked, mut wrong) = (0, Vec::new());
    let calendar = calendar(orchestrator, series);
    let mut bars = orchestrator.backend().store.stream(std::slice::from_ref(series), TimeRange::ALWAYS);
    let mut last = None;
    while let Some((_, bar)) = bars.try_next().await? {
        checked += 1;
        let place = calendar.bar_at(series.timeframe, bar.start);
        if let Some((kind, why)) = judge(calendar, place, &bar, last)
            && wrong.len() < MOST
        {
            wrong.push(WrongBar { series: series.clone(), start: bar.start, wrong: kind, why });
        } else {
            last = place;
        }
    }
    Ok((checked, wrong))
}

/// What is wrong with a bar, given its place on the grid and that of the last sound one.
fn judge(
    calendar: &dyn Calendar,
    place: Option<TimeRange>,
    bar: &Bar,
    last: Option<TimeRange>,
) -> Option<(Wrong, String)> {
    let told = |wrong: Wrong| Some((wrong, wrong.to_string()));
    if let Err(faults) = bar.check() {
        return Some((Wrong::Impossible, faults.to_string()));
    }
    match place {
        Some(place) if place.start() != bar.start && last == Some(place) => told(Wrong::Doubled),
        Some(place) if place.start() == bar.start => match calendar.sessions(place).next() {
            Some(_) => None,
            None => told(Wrong::OutOfSession),
        },
        _ => told(Wrong::OffGrid),
    }
}

/// When a series trades: coins do always.
fn calendar<'a>(orchestrator: &'a Orchestrator, series: &Series) -> &'a dyn Calendar {
    let is_coin = series.symbol.as_str().contains('/');
    orchestrator.calendar_for(if is_coin { Hours::Always } else { Hours::Extended })
}
