//! Cuts time into windows, so that all that is missing in one can be asked for together.

use crate::limits::Limits;
use crate::load::Loads;
use crate::rows::{Row, Spans};

/// In slices. Of so many, the last one's unfilled page no longer counts.
const LONGEST_WINDOW: f64 = 100.0;

/// The windows that take the fewest requests among all ways to cut the spans, each window asking for every row that
/// lacks something in it. Windows in which nothing is missing are left out.
///
/// Exact: the best cut up to every span is built from the best cuts before it. `rounding` is how much of a page's
/// unfilled rest is counted, 1 for all: less favours windows whose rests [`Layout::lift`](crate::lifts::Layout::lift) can join.
pub(crate) fn windows(rows: &[&Row<'_>], spans: u32, loads: &Loads, limits: &Limits, rounding: f64) -> Vec<Spans> {
    let spans_count = spans as usize;
    let mut best = vec![f64::INFINITY; spans_count + 1];
    let mut cut_before = vec![0_u32; spans_count + 1];
    best[0] = 0.0;
    let mut frontier = Frontier::new(rows, spans_count);
    for from in 0..spans {
        frontier.advance_to(from as usize);
        let (mut count, mut weight) = (0, 0.0);
        for to in from + 1..=spans {
            let (starting, starting_weight) = frontier.starting(from, to - 1);
            count += starting;
            weight += starting_weight;
            let share = weight * loads.pages(from, to);
            let requests = rounding * limits.requests(count, share) + (1.0 - rounding) * share;
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

/// Of every row, the run that a window from here on would meet first.
struct Frontier<'a> {
    rows: &'a [&'a Row<'a>],
    /// How many rows' first run starts at each span, and what they weigh; those already begun count at the present.
    starting: Vec<(usize, f64)>,
    /// The rows whose first run ends at each span, with that run's number.
    ending: Vec<Vec<(u32, u32)>>,
    /// Whether anything is missing in each span, summed up to it.
    missing_before: Vec<u32>,
    begun: (usize, f64),
}

impl<'a> Frontier<'a> {
    fn new(rows: &'a [&'a Row<'a>], spans: usize) -> Self {
        let mut frontier = Self {
            rows,
            starting: vec![(0, 0.0); spans + 1],
            ending: vec![Vec::new(); spans + 1],
            missing_before: vec![0; spans + 1],
            begun: (0, 0.0),
        };
        let mut change = vec![0_i64; spans + 1];
        for (row, content) in (0..).zip(rows) {
            frontier.meet(row, 0);
            for run in &content.runs {
                change[run.spans.start as usize] += 1;
                change[run.spans.end as usize] -= 1;
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
            *starting = (starting.0 + 1, starting.1 + content.weight);
            self.ending[found.spans.end as usize].push((row, run));
        }
    }

    fn advance_to(&mut self, span: usize) {
        for (row, run) in std::mem::take(&mut self.ending[span]) {
            self.begun = (self.begun.0 - 1, self.begun.1 - self.rows[row as usize].weight);
            self.meet(row, run + 1);
        }
        let (count, weight) = std::mem::take(&mut self.starting[span]);
        self.begun = (self.begun.0 + count, self.begun.1 + weight);
    }

    /// The rows that a window from `from` newly meets at `span`.
    fn starting(&self, from: u32, span: u32) -> (usize, f64) {
        if span == from { self.begun } else { self.starting[span as usize] }
    }

    fn is_missing_in(&self, window: &Spans) -> bool {
        self.missing_before[window.end as usize] > self.missing_before[window.start as usize]
    }
}
