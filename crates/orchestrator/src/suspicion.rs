//! Sessions that look wrong though every bar of them is possible: far fewer bars than usual, nothing where others trade,
//! prices that jump like a split. They are looked at again later, once: a vendor fills holes, and mends its splits.

use std::collections::BTreeMap;
use std::fmt;

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_provider::BarsRequest;
use barkeep_types::{Bar, Coverage, Grid, Symbol, TimeRange};
use chrono::{DateTime, TimeDelta, Utc};

use crate::SliceJob;

/// How many sessions it takes to know what is usual, and within which time before a slice they are looked for.
const SESSIONS: usize = 5;
const BEFORE: TimeDelta = TimeDelta::days(10);
/// How long after a slice the session that it ends in may end.
const AFTER: TimeDelta = TimeDelta::days(2);
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

/// Watches a slice's bars go by. Only sessions that were seen whole are judged, and taken for what is usual: a slice may begin
/// or end in the middle of one, and who goes on after an interruption asks for the rest, and recalls what came before it.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The sessions that the slice is of, each whole, after some before them.
    grid: Grid,
    /// The first of the slice's.
    first: usize,
    range: TimeRange,
    seen: BTreeMap<Symbol, Sight>,
}

/// What was seen of a symbol.
#[derive(Debug)]
struct Sight {
    /// The time that it was asked for; `None` if an earlier try has asked for all of it.
    asked: Option<TimeRange>,
    /// Whether an earlier try has fetched how the slice begins, and did not come to judge it.
    goes_on: bool,
    /// The time that all bars are known of: asked for, or fetched before and recalled.
    known: Coverage,
    /// Of each session what was seen; `None` where nothing was.
    sessions: Vec<Option<Seen>>,
}

/// What was seen of a session.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    bars: u32,
    open: f64,
    close: f64,
    /// Where the bars start that it opened and closed with.
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
}

/// Of each session of a symbol what was seen; `None` where it was not seen whole.
type Whole = Vec<Option<Seen>>;

impl Watch {
    pub(crate) fn new(calendar: &dyn Calendar, slice: &SliceJob) -> Self {
        let (from, until) = (slice.range.start() - BEFORE, slice.range.end() + AFTER);
        let around = TimeRange::new(from, until).unwrap_or(slice.range);
        let mut all = calendar.spans(slice.timeframe, slice.hours, around);
        all.truncate(all.partition_point(|span| span.start() < slice.range.end()));
        let own = all.partition_point(|span| span.end() <= slice.range.start());
        let first = own.min(SESSIONS);
        all.drain(..own - first);
        Self { grid: Grid::new(slice.timeframe, all), first, range: slice.range, seen: BTreeMap::new() }
    }

    /// Watches the symbols of a request; those of an earlier one are watched already.
    pub(crate) fn asks(&mut self, request: &BarsRequest) {
        for symbol in request.symbols() {
            let sight = || Sight::of(Some(request.range()), self.grid.spans().len());
            self.seen.entry(symbol.clone()).or_insert_with(sight);
        }
    }

    /// Sees bars in order.
    pub(crate) fn sees(&mut self, symbol: &Symbol, bars: &[Bar]) {
        let Some(Sight { sessions, .. }) = self.seen.get_mut(symbol) else { return };
        let spans = self.grid.spans();
        for bar in bars {
            let index = spans.partition_point(|span| span.end() <= bar.start);
            if spans.get(index).is_some_and(|span| span.contains(bar.start)) {
                sessions[index].get_or_insert_default().sees(bar);
            }
        }
    }

    /// Judges all of the slice for a symbol, and not only what was asked for of it, if anything was.
    pub(crate) fn goes_on(&mut self, symbol: &Symbol) {
        let sight = || Sight::of(None, self.grid.spans().len());
        self.seen.entry(symbol.clone()).or_insert_with(sight).goes_on = true;
    }

    /// The symbols that too little was seen of, where that may matter, each with the time before it that would tell: what is
    /// usual, or how a session began that looks thin from its middle on.
    pub(crate) fn in_need_of_history(&self) -> Vec<(Symbol, TimeRange)> {
        let in_need = self.seen.iter().filter_map(|(symbol, sight)| Some((symbol.clone(), self.history_of(sight)?)));
        in_need.collect()
    }

    fn history_of(&self, sight: &Sight) -> Option<TimeRange> {
        let (spans, from) = (self.grid.spans(), sight.asked_from(self.range));
        let own = self.first..spans.len();
        if sight.goes_on {
            let earliest = if own.len() < SESSIONS { 0 } else { self.first };
            return TimeRange::new(spans.get(earliest)?.start(), from).ok();
        }
        let whole = own.clone().filter(|session| self.is_whole(sight, *session)).count();
        let before = spans.partition_point(|span| span.end() <= from);
        let (is_odd, earliest) = if whole < SESSIONS {
            let is_daily = self.grid.timeframe().minutes().is_none();
            (is_daily || own.into_iter().any(|session| self.is_thin(sight, session)), before.saturating_sub(SESSIONS))
        } else {
            (self.is_thin(sight, before), before)
        };
        TimeRange::new(spans.get(earliest).filter(|_| is_odd)?.start(), from).ok()
    }

    /// Whether few bars came of a session, for the part of it that was asked for.
    fn is_thin(&self, sight: &Sight, session: usize) -> bool {
        let slots = self.grid.slots_of(session);
        let is_asked =
            |slot: &u32| self.grid.bar(*slot).zip(sight.asked).is_some_and(|(bar, asked)| asked.contains(bar.start()));
        // Nearly all of them were asked for whole, and have not to be counted.
        let asked = if self.is_whole(sight, session) { slots.len() } else { slots.filter(is_asked).count() };
        let bars = sight.sessions[session].map_or(0, |seen| seen.bars);
        f64::from(bars) < SPARSE * asked as f64
    }

    /// Recalls bars from before, in order, and the time that all of them are known of.
    pub(crate) fn recalls(&mut self, symbol: &Symbol, bars: &[Bar], known: &Coverage) {
        let Some(sight) = self.seen.get_mut(symbol) else { return };
        let from = sight.asked_from(self.range);
        let before = bars.partition_point(|bar| bar.start < from);
        known.ranges().iter().for_each(|range| sight.known.insert(*range));
        self.sees(symbol, &bars[..before]);
    }

    /// The sessions that look wrong, earliest first.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let seen: Vec<(&Symbol, Whole)> = self.seen.iter().map(|(symbol, sight)| (symbol, self.whole(sight))).collect();
        let mut found: BTreeMap<(usize, Suspicion), Vec<Symbol>> = BTreeMap::new();
        let mut find = |session, why, symbol: &Symbol| {
            if session >= self.first {
                found.entry((session, why)).or_default().push(symbol.clone());
            }
        };
        for (symbol, sessions) in &seen {
            self.sparse(sessions).for_each(|session| find(session, Suspicion::Sparse, symbol));
            jumps(sessions).for_each(|session| find(session, Suspicion::Jump, symbol));
        }
        for (session, symbols) in self.shared_holes(&seen) {
            symbols.into_iter().for_each(|symbol| find(session, Suspicion::SharedHole, symbol));
        }
        let findings = found.into_iter().map(|((session, why), symbols)| {
            let span = self.grid.spans()[session];
            Finding { range: span.before(self.range.end()).unwrap_or(span), symbols, why }
        });
        findings.take(MOST).collect()
    }

    /// Of each session what was seen, if all of it was.
    fn whole(&self, sight: &Sight) -> Whole {
        let whole =
            |(session, seen): (usize, &Option<Seen>)| self.is_whole(sight, session).then(|| seen.unwrap_or_default());
        sight.sessions.iter().enumerate().map(whole).collect()
    }

    /// Whether every bar of a session is known that there is.
    fn is_whole(&self, sight: &Sight, session: usize) -> bool {
        let span = self.grid.spans()[session];
        // The last bar may end after the slice does.
        let last = self.grid.slots_of(session).next_back().and_then(|slot| self.grid.bar(slot));
        let starts = last.and_then(|last| TimeRange::new(span.start(), last.start() + TimeDelta::seconds(1)).ok());
        starts.is_some_and(|starts| sight.known.gaps_in(starts).next().is_none())
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

    fn shared_holes<'s>(&self, seen: &'s [(&Symbol, Whole)]) -> Vec<(usize, Vec<&'s Symbol>)> {
        let is_regular = |(_, sessions): &&(&Symbol, Whole)| {
            let looked_at = sessions.iter().flatten().count();
            let traded = sessions.iter().flatten().filter(|session| session.bars > 0).count();
            // Of the last few sessions one may be the hole itself.
            looked_at >= SESSIONS && traded as f64 >= (REGULAR * looked_at as f64).min(looked_at as f64 - 1.0)
        };
        let regular: Vec<&(&Symbol, Whole)> = seen.iter().filter(is_regular).collect();
        let holes = (self.first..self.grid.spans().len()).map(|session| {
            let is_hole = |sessions: &[Option<Seen>]| sessions[session].is_some_and(|session| session.bars == 0);
            let without = regular.iter().filter(|(_, sessions)| is_hole(sessions));
            (session, without.map(|(symbol, _)| *symbol).collect::<Vec<_>>())
        });
        let is_shared = |without: usize| without >= SHARERS && without as f64 > SHARED * regular.len() as f64;
        holes.filter(|(_, without)| is_shared(without.len())).collect()
    }
}

impl Sight {
    fn of(asked: Option<TimeRange>, sessions: usize) -> Self {
        Self { asked, goes_on: false, known: asked.into_iter().collect(), sessions: vec![None; sessions] }
    }

    /// From when on it was asked for: in a slice of this range, from its end on if it was not.
    fn asked_from(&self, slice: TimeRange) -> DateTime<Utc> {
        self.asked.map_or(slice.end(), |asked| asked.start())
    }
}

impl Seen {
    /// Sees a bar, which may come after later ones: those are recalled last that came first.
    fn sees(&mut self, bar: &Bar) {
        let is_latest = self.last.is_none_or(|last| last < bar.start);
        if self.bars == 0 || self.first.is_some_and(|first| bar.start < first) {
            (self.open, self.first) = (bar.open, Some(bar.start));
        }
        if is_latest {
            (self.close, self.last) = (bar.close, Some(bar.start));
        }
        self.bars += 1;
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
