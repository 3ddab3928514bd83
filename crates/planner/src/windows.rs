//! Cuts time into windows, so that all that is missing in one can be asked for together.

use crate::limits::Limits;
use crate::load::Loads;
use crate::rows::{Row, Spans};

/// In slices. Of so many, the last one's unfilled page no longer counts.
const LONGEST_WINDOW: f64 = 100.0;

/// The spans from which on a run is long: rows that lack so much can fill pages of windows in the order that suits, and
/// what of them fills none can be lifted into a window of its own at little loss.
const LONG_RUN: u32 = 10;

/// The windows that take the fewest requests among all ways to cut the spans, each window asking for every row that
/// lacks something in it. Windows in which nothing is missing are left out.
///
/// Exact: the best cut up to every span is built from the best cuts before it. `filler` is how much of a page counts
/// that only rows within long runs keep from being full, 0 for all of it: more favours windows that
/// [`Layout::lift`](crate::lifts::Layout::lift) can take such rows out of.
pub(crate) fn windows(rows: &[&Row<'_>], spans: u32, loads: &Loads, limits: &Limits, filler: f64) -> Vec<Spans> {
    let spans_count = spans as usize;
    let mut best = vec![f64::INFINITY; spans_count + 1];
    let mut cut_before = vec![0_u32; spans_count + 1];
    best[0] = 0.0;
    let mut frontier = Frontier::new(rows, spans_count);
    for from in 0..spans {
        frontier.advance_to(from as usize);
        let mut met = Crowd::default();
        let mut within_long = frontier.within_long;
        for to in from + 1..=spans {
            met = met.plus(frontier.starting(from, to - 1));
            if to - 1 > from {
                within_long = within_long.minus(frontier.long_ending[to as usize - 1]);
            }
            let pages = loads.pages(from, to);
            let share = met.weight * pages;
            let mut requests = limits.requests(met.rows, share);
            if filler > 0.0 {
                let rest = met.minus(within_long);
                let least = limits.requests(rest.rows, rest.weight * pages).max(share);
                requests = filler * least + (1.0 - filler) * requests;
            }
            let total = best[from as usize] + requests;
            if total < best[to as usize] - 1e-9 {
                best[to as usize] = total;
                cut_before[to as usize] = from;
            }
            if share > LONGEST_WINDOW * limits.pages {
                break;
            }
        }
    }
    let mut windows = Vec::new();
    let mut to = spans;
    while to > 0 {
        let from = cut_before[to as usize];
        windows.push(from..to);
        to = from;
    }
    windows.reverse();
    windows.retain(|window| frontier.is_missing_in(window));
    windows
}

/// How many rows, and their weight.
#[derive(Clone, Copy, Debug, Default)]
struct Crowd {
    rows: usize,
    weight: f64,
}

impl Crowd {
    fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, weight: self.weight + other.weight }
    }

    fn minus(self, other: Self) -> Self {
        // Sums of weights go astray by a little, below zero too.
        Self { rows: self.rows - other.rows, weight: (self.weight - other.weight).max(0.0) }
    }
}

/// Of every row, the run that a window from here on would meet first.
struct Frontier<'a> {
    rows: &'a [&'a Row<'a>],
    /// The rows whose first run starts at each span; those already begun count at the present.
    starting: Vec<Crowd>,
    /// The rows whose first run ends at each span, with that run's number.
    ending: Vec<Vec<(u32, u32)>>,
    /// Whether anything is missing in each span, summed up to it.
    missing_before: Vec<u32>,
    begun: Crowd,
    /// The long runs that start at each span: where they end, and the row's weight.
    long_starting: Vec<Vec<(u32, f64)>>,
    /// Of the long runs already begun, those that end at each span.
    long_ending: Vec<Crowd>,
    /// The rows within a long run at the present.
    within_long: Crowd,
}

impl<'a> Frontier<'a> {
    fn new(rows: &'a [&'a Row<'a>], spans: usize) -> Self {
        let mut frontier = Self {
            rows,
            starting: vec![Crowd::default(); spans + 1],
            ending: vec![Vec::new(); spans + 1],
            missing_before: vec![0; spans + 1],
            begun: Crowd::default(),
            long_starting: vec![Vec::new(); spans + 1],
            long_ending: vec![Crowd::default(); spans + 1],
            within_long: Crowd::default(),
        };
        let mut change = vec![0_i64; spans + 1];
        for (row, content) in (0..).zip(rows) {
            frontier.meet(row, 0);
            for run in &content.runs {
                let (start, end) = (run.spans.start as usize, run.spans.end as usize);
                change[start] += 1;
                change[end] -= 1;
                if run.spans.end - run.spans.start >= LONG_RUN {
                    frontier.long_starting[start].push((run.spans.end, content.weight));
                }
            }
        }
        let mut missing = 0;
        let mut lacking_before = 0;
        for (change, before) in change.iter().zip(&mut frontier.missing_before) {
            *before = lacking_before;
            missing += change;
            lacking_before += u32::from(missing > 0);
        }
        frontier
    }

    fn meet(&mut self, row: u32, run: u32) {
        let content = self.rows[row as usize];
        if let Some(found) = content.runs.get(run as usize) {
            let starting = &mut self.starting[found.spans.start as usize];
            *starting = starting.plus(Crowd { rows: 1, weight: content.weight });
            self.ending[found.spans.end as usize].push((row, run));
        }
    }

    fn advance_to(&mut self, span: usize) {
        for (row, run) in std::mem::take(&mut self.ending[span]) {
            self.begun = self.begun.minus(Crowd { rows: 1, weight: self.rows[row as usize].weight });
            self.meet(row, run + 1);
        }
        self.begun = self.begun.plus(std::mem::take(&mut self.starting[span]));
        self.within_long = self.within_long.minus(self.long_ending[span]);
        for (end, weight) in std::mem::take(&mut self.long_starting[span]) {
            let one = Crowd { rows: 1, weight };
            self.within_long = self.within_long.plus(one);
            self.long_ending[end as usize] = self.long_ending[end as usize].plus(one);
        }
    }

    /// The rows that a window from `from` newly meets at `span`.
    fn starting(&self, from: u32, span: u32) -> Crowd {
        if span == from { self.begun } else { self.starting[span as usize] }
    }

    fn is_missing_in(&self, window: &Spans) -> bool {
        self.missing_before[window.end as usize] > self.missing_before[window.start as usize]
    }
}
