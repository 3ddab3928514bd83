//! Sessions that look wrong though every bar of them is possible: far fewer bars than usual, nothing where others trade,
//! prices that jump like a split. They are looked at again later, once: a vendor fills holes, and mends its splits.

use std::collections::BTreeMap;
use std::fmt;

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_provider::BarsRequest;
use barkeep_types::{Bar, Grid, Symbol, TimeRange};

use crate::SliceJob;

/// How many sessions it takes to know what is usual.
const SESSIONS: usize = 5;
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
    grid: Grid,
    range: TimeRange,
    seen: BTreeMap<Symbol, Vec<Seen>>,
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
        let spans = calendar.spans(slice.timeframe, slice.hours, slice.range);
        Self { grid: Grid::new(slice.timeframe, spans), range: slice.range, seen: BTreeMap::new() }
    }

    /// Watches the symbols of a request, if it is for all of the time: what is usual cannot be told from a part.
    pub(crate) fn asks(&mut self, request: &BarsRequest) {
        let sessions = self.grid.spans().len();
        if request.range().covers(&self.range) && sessions > 1 {
            let watched = request.symbols().iter().map(|symbol| (symbol.clone(), vec![Seen::default(); sessions]));
            self.seen.extend(watched);
        }
    }

    /// Sees bars in order.
    pub(crate) fn sees(&mut self, symbol: &Symbol, bars: &[Bar]) {
        let Some(sessions) = self.seen.get_mut(symbol) else { return };
        let spans = self.grid.spans();
        for bar in bars {
            let index = spans.partition_point(|span| span.end() <= bar.start);
            if let Some(session) = sessions.get_mut(index).filter(|_| spans[index].contains(bar.start)) {
                if session.bars == 0 {
                    session.open = bar.open;
                }
                session.bars += 1;
                session.close = bar.close;
            }
        }
    }

    /// The sessions that look wrong, earliest first.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut found: BTreeMap<(usize, Suspicion), Vec<Symbol>> = BTreeMap::new();
        let mut find = |session, why, symbol: &Symbol| {
            found.entry((session, why)).or_default().push(symbol.clone());
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
    fn density(&self, sessions: &[Seen], session: usize) -> f64 {
        let bars = self.grid.slots_of(session).len();
        f64::from(sessions[session].bars) / bars.max(1) as f64
    }

    fn sparse(&self, sessions: &[Seen]) -> impl Iterator<Item = usize> {
        let densities: Vec<f64> = (0..sessions.len()).map(|session| self.density(sessions, session)).collect();
        let usual = median(&densities);
        // A session of one bar has it or not.
        let is_telling = sessions.len() >= SESSIONS && self.grid.timeframe().minutes().is_some() && usual >= LIQUID;
        let is_sparse = move |density: f64| is_telling && density < SPARSE * usual;
        densities.into_iter().enumerate().filter(move |(_, density)| is_sparse(*density)).map(|(session, _)| session)
    }

    fn shared_holes(&self) -> Vec<(usize, Vec<&Symbol>)> {
        let count = self.grid.spans().len();
        let is_regular = |sessions: &&Vec<Seen>| {
            sessions.iter().filter(|session| session.bars > 0).count() as f64 >= REGULAR * count as f64
        };
        let regular: Vec<(&Symbol, &Vec<Seen>)> =
            self.seen.iter().filter(|(_, sessions)| is_regular(sessions)).collect();
        let holes = (0..count).filter(|_| count >= SESSIONS).map(|session| {
            let without = regular.iter().filter(|(_, sessions)| sessions[session].bars == 0);
            (session, without.map(|(symbol, _)| *symbol).collect::<Vec<_>>())
        });
        let is_shared = |without: usize| without >= SHARERS && without as f64 > SHARED * regular.len() as f64;
        holes.filter(|(_, without)| is_shared(without.len())).collect()
    }
}

/// The sessions that open at about a split's ratio to the last close.
fn jumps(sessions: &[Seen]) -> impl Iterator<Item = usize> {
    let traded = sessions.iter().enumerate().filter(|(_, session)| session.bars > 0);
    let mut last_close = None;
    traded.filter_map(move |(index, session)| {
        let before = last_close.replace(session.close)?;
        let ratio = if session.open > before { session.open / before } else { before / session.open };
        SPLITS.iter().any(|split| (ratio / split - 1.0).abs() < NEAR).then_some(index)
    })
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
