//! Coverage on demand: for somebody who looks at a series now, and for watchlists.

use barkeep_catalog::{Definition, Narrowing, Window};
use barkeep_planner::{Explanation, Reason};
use barkeep_types::{Hours, Series, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock::Moment;
use crate::status::explain;
use crate::taken::{Excused, Taken};
use crate::tick::plan_one;
use crate::{Error, Orchestrator, Result};

/// What goes before the rest because somebody waits for it, and because somebody watches it.
const WAITED_FOR: i16 = 200;
const WATCHED: i16 = 150;

/// How far a series is, that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ensured {
    /// The definition that keeps it filled.
    pub definition: String,
    /// Whether it was made, or widened, for this.
    pub is_new: bool,
    /// The time that is not there yet, queued or not.
    pub gaps: Vec<TimeRange>,
    /// How many bars there may be in the window.
    pub expected: u64,
    /// How many of them are there, or known not to have traded.
    pub covered: u64,
    /// How many are queued or running.
    pub under_way: u64,
    /// How many are missing all the same: their slices failed.
    pub missing: u64,
    /// How many have not ended, or may still change.
    pub unsettled: u64,
    /// How many bars of the series are stored, within the window and without.
    pub bars_stored: u64,
}

impl Ensured {
    /// Whether everything is there that can be.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}

pub(crate) async fn ensure_coverage(
    orchestrator: &Orchestrator,
    series: &Series,
    window: TimeRange,
) -> Result<Ensured> {
    let backend = orchestrator.backend();
    let taken = Taken::read(backend, &Excused::None).await?;
    if let Some((code, reason)) = taken.refusal(series) {
        return Err(Error::Refused { series: series.clone(), code, reason });
    }
    expect_listed(orchestrator, std::slice::from_ref(&series.symbol)).await?;
    let now = Moment::now(orchestrator).await?.market;
    let stored = backend.catalog.list().await?;
    let covering = stored.iter().find(|definition| covers(definition, series, window, now));
    let (definition, is_new) = match covering {
        Some(definition) => (definition.clone(), false),
        None => {
            let made = made_for(series, window, &stored);
            backend.catalog.upsert(&made, Narrowing::Refuse).await?;
            (made, true)
        }
    };
    // Of the definition, what is asked for alone, and first.
    let asked = Definition {
        symbols: vec![series.symbol.clone()],
        timeframes: vec![series.timeframe],
        window: Window::Fixed(window),
        priority: definition.priority.max(WAITED_FOR),
        batch_size: None,
        ..definition
    };
    plan_one(orchestrator, &asked).await?;
    let explanations = explain(orchestrator, &asked, series).await?;
    let summaries = backend.store.summaries(std::slice::from_ref(series)).await?;
    let bars_stored = summaries.first().map_or(0, |summary| summary.bars);
    Ok(ensured(asked.name, is_new, &explanations, bars_stored))
}

fn ensured(definition: String, is_new: bool, explanations: &[Explanation], bars_stored: u64) -> Ensured {
    let count = |reason: Reason| {
        let bars = explanations.iter().filter(|run| run.reason == reason).map(|run| u64::from(run.bars));
        bars.sum::<u64>()
    };
    let is_gap = |run: &&Explanation| matches!(run.reason, Reason::Missing | Reason::Live);
    Ensured {
        definition,
        is_new,
        gaps: explanations.iter().filter(is_gap).map(|run| run.range).collect(),
        expected: explanations.iter().map(|run| u64::from(run.bars)).sum(),
        covered: count(Reason::Covered),
        under_way: count(Reason::Live),
        missing: count(Reason::Missing),
        unsettled: count(Reason::Unsettled),
        bars_stored,
    }
}

/// Whether a definition keeps the series filled over what has passed of the window.
fn covers(definition: &Definition, series: &Series, window: TimeRange, now: DateTime<Utc>) -> bool {
    let is_in_time = definition.window.range_at(now).is_some_and(|range| {
        let past = window.before(now).unwrap_or(window);
        range.covers(&past)
    });
    let is_of_it = definition.feed == series.feed && definition.adjustment == series.adjustment;
    let names_it = definition.symbols.contains(&series.symbol) && definition.timeframes.contains(&series.timeframe);
    definition.enabled && is_of_it && names_it && is_in_time
}

/// A definition for the series; one that was made for it before is widened.
fn made_for(series: &Series, window: TimeRange, stored: &[Definition]) -> Definition {
    let Series { symbol, timeframe, feed, adjustment } = series;
    let allowed = |text: char| if text.is_ascii_alphanumeric() || text == '.' { text } else { '-' };
    let name: String = format!("on.{symbol}.{timeframe}.{feed}.{adjustment}").chars().map(allowed).collect();
    let before = stored.iter().find(|definition| definition.name == name).map(|definition| definition.window);
    let window = match before {
        Some(Window::Fixed(before)) => {
            let (start, end) = (before.start().min(window.start()), before.end().max(window.end()));
            TimeRange::new(start, end).unwrap_or(window)
        }
        _ => window,
    };
    let hours = if symbol.as_str().contains('/') { Hours::Always } else { Hours::Regular };
    Definition {
        feed: feed.clone(),
        adjustment: *adjustment,
        hours,
        priority: WAITED_FOR,
        ..Definition::new(name, vec![symbol.clone()], vec![*timeframe], Window::Fixed(window))
    }
}

/// Refuses symbols that the vendor does not list, if it can tell.
async fn expect_listed(orchestrator: &Orchestrator, symbols: &[Symbol]) -> Result<()> {
    let Some(reference) = orchestrator.reference() else { return Ok(()) };
    let unsure: Vec<Symbol> = {
        let listed = orchestrator.listed();
        symbols.iter().filter(|symbol| !listed.contains(*symbol)).cloned().collect()
    };
    if unsure.is_empty() {
        return Ok(());
    }
    let unknown = reference.unknown(&unsure).await.map_err(Error::Reference)?;
    if let Some(symbol) = unknown.into_iter().next() {
        return Err(Error::UnknownSymbol(symbol));
    }
    orchestrator.listed().extend(unsure);
    Ok(())
}

pub(crate) async fn watch(orchestrator: &Orchestrator, symbols: &[Symbol]) -> Result<[String; 2]> {
    expect_listed(orchestrator, symbols).await?;
    let catalog = &orchestrator.backend().catalog;
    let intraday = ("watchlist-intraday", vec![Timeframe::M15, Timeframe::H1, Timeframe::H4], 30);
    let daily = ("watchlist-daily", vec![Timeframe::D1, Timeframe::W1], 730);
    for (name, timeframes, days) in [intraday, daily] {
        let usual = Definition::new(name, Vec::new(), timeframes, Window::LastDays(days));
        let mut definition = catalog.get(name).await?.unwrap_or(Definition { priority: WATCHED, ..usual });
        definition.enabled = true;
        definition.symbols.extend(symbols.iter().cloned());
        definition.symbols.sort_unstable();
        definition.symbols.dedup();
        catalog.upsert(&definition, Narrowing::Refuse).await?;
    }
    Ok(["watchlist-intraday", "watchlist-daily"].map(str::to_owned))
}
