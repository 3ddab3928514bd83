//! Sessions that look wrong though every bar of them is possible: far fewer bars than usual, nothing where others trade,
//! prices that jump like a split. They are looked at again later, once: a vendor fills holes, and mends its splits.

use std::collections::BTreeMap;
use std::fmt;

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_provider::BarsRequest;
use barkeep_types::{Bar, Grid, Symbol, TimeRange};
use chrono::TimeDelta;

use crate::SliceJob;

/// How many sessions it takes to know what is usual, and within which time before a slice they are looked for.
const SESSIONS: usize = 5;
const BEFORE: TimeDelta = TimeDelta::days(10);
/// A series is liquid if it usually trades in this share of a session's bars, and sparse below that share of the usual.
const LIQUID: f64 = 0.5;
const SPARSE: f64 = 0.6;
/// A series is regular if it trades in this share of the sessions. A hole is shared if this many series, and this share of
/// the regular ones, have it.
const REGULAR: f64 = 0.9;
const SHARED: f64 = 0.2;
const SHARERS: usize = 5;
/// Splits of so many for one, and three for two, each way; and how near a jump must come.
const SPLITS: [f64; 14] = [1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0];
const NEAR: f64 = 0.02;
/// The most findings of a slice; more of them say that we do not understand it, and each may cost a request.
const MOST: usize = 20;

/// What is wrong with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suspicion {
    /// Far fewer bars than usual.
    Sparse,
    /// No bars, as in many other series.
    SharedHole,
    /// It opens at a multiple, or a part, of the last close.
    Jump,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sparse => "far fewer bars than usual",
            Self::SharedHole => "a hole that many series share",
            Self::Jump => "a jump like that of a split",
        })
    }
}

/// A session of some symbols that should be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) range: TimeRange,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) why: Suspicion,
}

/// Watches a slice's bars go by.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The slice's sessions, after some before them.
    grid: Grid,
    /// The first of the slice's.
    first: usize,
    range: TimeRange,
    /// Of each session what was seen; `None` where nobody looked.
    seen: BTreeMap<Symbol, Vec<Option<Seen>>>,
}

/// What was seen of a session.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    bars: u32,
    open: f64,
    close: f64,
}

impl Watch {
    pub(crate) fn new(calendar: &dyn Calendar, slice: &SliceJob) -> Self {
        let spans = |range| calendar.spans(slice.timeframe, slice.hours, range);
        let (earlier, own) = (slice.range.start() - BEFORE, spans(slice.range));
        let mut all = TimeRange::new(earlier, slice.range.start()).map(spans).unwrap_or_default();
        all.drain(..all.len().saturating_sub(SESSIONS));
        let first = all.len();
        all.extend(own);
        Self { grid: Grid::new(slice.timeframe, all), first, range: slice.range, seen: BTreeMap::new() }
    }

    /// Watches the symbols of a request, if it is for all of the time: what is usual cannot be told from a part.
    pub(crate) fn asks(&mut self, request: &BarsRequest) {
        if request.range().covers(&self.range) {
            let sessions = self.grid.spans().len();
            let nothing = (0..sessions).map(|session| (session >= self.first).then(Seen::default)).collect::<Vec<_>>();
            self.seen.extend(request.symbols().iter().map(|symbol| (symbol.clone(), nothing.clone())));
        }
    }

    /// Sees bars in order.
    pub(crate) fn sees(&mut self, symbol: &Symbol, bars: &[Bar]) {
        let Some(sessions) = self.seen.get_mut(symbol) else { return };
        let spans = self.grid.spans();
        for bar in bars {
            let index = spans.partition_point(|span| span.end() <= bar.start);
            if spans.get(index).is_some_and(|span| span.contains(bar.start)) {
                let session = sessions[index].get_or_insert_default();
                if session.bars == 0 {
                    session.open = bar.open;
                }
                session.bars += 1;
                session.close = bar.close;
            }
        }
    }

    /// The symbols that too little was seen of to tell what is usual, where that may matter.
    pub(crate) fn in_need_of_history(&self) -> Vec<Symbol> {
        let sessions = self.first..self.grid.spans().len();
        if sessions.len() >= SESSIONS {
            return Vec::new();
        }
        let is_daily = self.grid.timeframe().minutes().is_none();
        let is_thin =
            |seen: &[Option<Seen>]| sessions.clone().any(|session| self.density(seen, session) < Some(SPARSE));
        let in_need = self.seen.iter().filter(|(_, seen)| is_daily || is_thin(seen));
        in_need.map(|(symbol, _)| symbol.clone()).collect()
    }

    /// The time before the slice that tells what is usual.
    pub(crate) fn history(&self) -> TimeRange {
        let start = self.grid.spans().first().map_or(self.range.start(), TimeRange::start);
        TimeRange::new(start, self.range.start()).unwrap_or(self.range)
    }

    /// Recalls bars from before, in order.
    pub(crate) fn recalls(&mut self, symbol: &Symbol, bars: &[Bar]) {
        let before = bars.partition_point(|bar| bar.start < self.range.start());
        self.sees(symbol, &bars[..before]);
    }

    /// The sessions that look wrong, earliest first.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut found: BTreeMap<(usize, Suspicion), Vec<Symbol>> = BTreeMap::new();
        let mut find = |session, why, symbol: &Symbol| {
            if session >= self.first {
                found.entry((session, why)).or_default().push(symbol.clone());
            }
        };
        for (symbol, sessions) in &self.seen {
            self.sparse(sessions).for_each(|session| find(session, Suspicion::Sparse, symbol));
            jumps(sessions).for_each(|session| find(session, Suspicion::Jump, symbol));
        }
        for (session, symbols) in self.shared_holes() {
            symbols.into_iter().for_each(|symbol| find(session, Suspicion::SharedHole, symbol));
        }
        let findings = found.into_iter().map(|((session, why), symbols)| {
            let range = self.grid.spans()[session];
            Finding { range: range.intersection(&self.range).unwrap_or(range), symbols, why }
        });
        findings.take(MOST).collect()
    }

    /// The share of a session's bars that came.
    fn density(&self, sessions: &[Option<Seen>], session: usize) -> Option<f64> {
        let bars = self.grid.slots_of(session).len();
        sessions[session].map(|seen| f64::from(seen.bars) / bars.max(1) as f64)
    }

    fn sparse(&self, sessions: &[Option<Seen>]) -> impl Iterator<Item = usize> {
        let density = |session| Some((session, self.density(sessions, session)?));
        let densities: Vec<(usize, f64)> = (0..sessions.len()).filter_map(density).collect();
        let usual = median(densities.iter().map(|(_, density)| *density).collect());
        // A session of one bar has it or not.
        let is_telling = densities.len() >= SESSIONS && self.grid.timeframe().minutes().is_some() && usual >= LIQUID;
        let is_sparse = move |(_, density): &(usize, f64)| is_telling && *density < SPARSE * usual;
        densities.into_iter().filter(is_sparse).map(|(session, _)| session)
    }

    fn shared_holes(&self) -> Vec<(usize, Vec<&Symbol>)> {
        let is_regular = |(_, sessions): &(&Symbol, &Vec<Option<Seen>>)| {
            let looked_at = sessions.iter().flatten().count();
            let traded = sessions.iter().flatten().filter(|session| session.bars > 0).count();
            // Of the last few sessions one may be the hole itself.
            looked_at >= SESSIONS && traded as f64 >= (REGULAR * looked_at as f64).min(looked_at as f64 - 1.0)
        };
        let regular: Vec<(&Symbol, &Vec<Option<Seen>>)> = self.seen.iter().filter(is_regular).collect();
        let holes = (self.first..self.grid.spans().len()).map(|session| {
            let is_hole = |sessions: &[Option<Seen>]| sessions[session].is_some_and(|session| session.bars == 0);
            let without = regular.iter().filter(|(_, sessions)| is_hole(sessions));
            (session, without.map(|(symbol, _)| *symbol).collect::<Vec<_>>())
        });
        let is_shared = |without: usize| without >= SHARERS && without as f64 > SHARED * regular.len() as f64;
        holes.filter(|(_, without)| is_shared(without.len())).collect()
    }
}

/// The sessions that open at about a split's ratio to the last close.
fn jumps(sessions: &[Option<Seen>]) -> impl Iterator<Item = usize> {
    let seen = sessions.iter().enumerate().filter_map(|(index, session)| Some((index, session.as_ref()?)));
    let traded = seen.filter(|(_, session)| session.bars > 0);
    let mut last_close = None;
    traded.filter_map(move |(index, session)| {
        let before = last_close.replace(session.close)?;
        let ratio = if session.open > before { session.open / before } else { before / session.open };
        SPLITS.iter().any(|split| (ratio / split - 1.0).abs() < NEAR).then_some(index)
    })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
