//! Joins the unfilled last pages of neighbouring windows.
//!
//! A window rarely fills its last page. Where rows lack something in several windows in a row, taking a few of them out
//! of all those windows, to be asked for in one longer window of their own, can save more last pages than the longer
//! window costs; what is asked for stays the same.

use crate::limits::Limits;
use crate::load::Loads;
use crate::rows::{Row, Spans};

/// Rows asked for together over one range of spans; by number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) spans: Spans,
    pub(crate) rows: Vec<u32>,
}

/// The most windows that one lift joins.
const REACH: usize = 14;
const PASSES: usize = 3;
/// The part of all requests that unfilled pages must be for better ways to be worth looking for.
const LEAST_WASTE: f64 = 0.02;

/// A row in neighbouring windows.
#[derive(Clone, Copy, Debug)]
struct Stay {
    row: u32,
    first: usize,
    end: usize,
}

/// What a window asks for: how many rows, and their weight.
#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    rows: usize,
    weight: f64,
}

/// What the windows ask for, with lifts where they save requests.
pub(crate) struct Layout<'a> {
    rows: &'a [&'a Row<'a>],
    windows: Vec<Spans>,
    loads: &'a Loads,
    limits: &'a Limits,
    /// The pages that one full row fills in each window.
    pages: Vec<f64>,
    fills: Vec<Fill>,
    stays: Vec<Stay>,
    lifted: Vec<Block>,
    /// The requests of the lifted blocks.
    lifted_requests: f64,
    /// The pages of all, not rounded; the same however they are laid out.
    share: f64,
}

struct Lift {
    saved: f64,
    end: usize,
    rows: usize,
}

impl<'a> Layout<'a> {
    /// Every window asks for the rows that lack something in it.
    pub(crate) fn new(rows: &'a [&'a Row<'a>], windows: Vec<Spans>, loads: &'a Loads, limits: &'a Limits) -> Self {
        let pages = windows.iter().map(|window| loads.pages(window.start, window.end)).collect();
        let fills = vec![Fill::default(); windows.len()];
        let (stays, lifted, lifted_requests, share) = (Vec::new(), Vec::new(), 0.0, 0.0);
        let mut layout = Self { rows, windows, loads, limits, pages, fills, stays, lifted, lifted_requests, share };
        for (row, content) in (0..).zip(rows) {
            layout.place(row, content);
        }
        layout.share = layout.fills.iter().zip(&layout.pages).map(|(fill, pages)| fill.weight * pages).sum();
        layout
    }

    /// Lifts rows until that saves no more.
    pub(crate) fn lift(&mut self) {
        for _ in 0..PASSES {
            if !self.is_wasteful() || !self.pass() {
                break;
            }
        }
    }

    /// The requests of all, about.
    pub(crate) fn requests(&self) -> f64 {
        let windows = (0..self.windows.len()).map(|window| self.requests_of(window, self.fills[window]));
        windows.sum::<f64>() + self.lifted_requests
    }

    /// Whether unfilled pages are enough of the requests for better ways to be worth looking for.
    pub(crate) fn is_wasteful(&self) -> bool {
        self.requests() * (1.0 - LEAST_WASTE) > self.share
    }

    fn place(&mut self, row: u32, content: &Row<'_>) {
        let mut placed = 0;
        for run in &content.runs {
            let first = self.windows.partition_point(|window| window.end <= run.spans.start).max(placed);
            let end = self.windows.partition_point(|window| window.start < run.spans.end);
            for fill in self.fills.get_mut(first..end).unwrap_or_default() {
                *fill = Fill { rows: fill.rows + 1, weight: fill.weight + content.weight };
            }
            match self.stays.last_mut() {
                Some(stay) if stay.row == row && stay.end >= first => stay.end = stay.end.max(end),
                _ if first < end => self.stays.push(Stay { row, first, end }),
                _ => {}
            }
            placed = placed.max(end);
        }
    }

    /// Looks for lifts from every window on; whether there was one.
    fn pass(&mut self) -> bool {
        let mut starting: Vec<Vec<Stay>> = vec![Vec::new(); self.windows.len()];
        for stay in self.stays.drain(..) {
            starting[stay.first].push(stay);
        }
        let mut has_lifted = false;
        let mut present: Vec<Stay> = Vec::new();
        for first in 0..self.windows.len() {
            present.append(&mut starting[first]);
            let (ended, mut staying): (Vec<_>, Vec<_>) = present.into_iter().partition(|stay| stay.end <= first);
            self.stays.extend(ended);
            staying.sort_unstable_by_key(|stay| (stay.end, stay.row));
            while let Some(lift) = self.best_lift(first, &staying) {
                has_lifted = true;
                let from = staying.partition_point(|stay| stay.end < lift.end);
                let chosen: Vec<Stay> = staying.drain(from..from + lift.rows).collect();
                self.apply(first..lift.end, &chosen);
                for stay in chosen {
                    self.stays.extend((stay.first < first).then_some(Stay { end: first, ..stay }));
                    if lift.end < stay.end {
                        starting[lift.end].push(Stay { first: lift.end, ..stay });
                    }
                }
            }
            present = staying;
        }
        self.stays.append(&mut present);
        has_lifted
    }

    /// The lift of rows out of windows `first..` that saves most, if any saves a request.
    fn best_lift(&self, first: usize, staying: &[Stay]) -> Option<Lift> {
        let mut weights = Vec::with_capacity(staying.len() + 1);
        let mut sum = 0.0;
        weights.push(sum);
        for stay in staying {
            sum += self.rows[stay.row as usize].weight;
            weights.push(sum);
        }
        let mut best: Option<Lift> = None;
        for end in first + 2..=(first + REACH).min(self.windows.len()) {
            let from = staying.partition_point(|stay| stay.end < end);
            let available = (staying.len() - from).min(self.limits.usual_symbols);
            if available == 0 {
                break;
            }
            let spans = self.loads.pages(self.windows[first].start, self.windows[end - 1].end);
            for window in first..end {
                for rows in self.rows_to_spare(window).into_iter().filter(|rows| (1..=available).contains(rows)) {
                    let weight = weights[from + rows] - weights[from];
                    let saved: f64 = (first..end).map(|window| self.saving(window, rows, weight)).sum();
                    let saved = saved - self.limits.requests(rows, weight * spans);
                    if saved > best.as_ref().map_or(0.5, |best| best.saved) {
                        best = Some(Lift { saved, end, rows });
                    }
                }
            }
        }
        best
    }

    fn requests_of(&self, window: usize, fill: Fill) -> f64 {
        self.limits.requests(fill.rows, fill.weight * self.pages[window])
    }

    fn saving(&self, window: usize, rows: usize, weight: f64) -> f64 {
        let fill = self.fills[window];
        let rest = Fill { rows: fill.rows - rows, weight: fill.weight - weight };
        self.requests_of(window, fill) - self.requests_of(window, rest)
    }

    /// About how many rows a window must lose for one page less, and for two.
    fn rows_to_spare(&self, window: usize) -> [usize; 2] {
        let fill = self.fills[window];
        let each = fill.weight * self.pages[window] / fill.rows.max(1) as f64;
        let share = each * fill.rows as f64;
        let over = share - (share - 1e-6).floor();
        [over, over + 1.0].map(|pages| (pages / each).ceil() as usize)
    }

    fn apply(&mut self, windows: std::ops::Range<usize>, chosen: &[Stay]) {
        let weight: f64 = chosen.iter().map(|stay| self.rows[stay.row as usize].weight).sum();
        for fill in &mut self.fills[windows.clone()] {
            *fill = Fill { rows: fill.rows - chosen.len(), weight: fill.weight - weight };
        }
        let spans = self.windows[windows.start].start..self.windows[windows.end - 1].end;
        let pages = self.loads.pages(spans.start, spans.end);
        self.lifted_requests += self.limits.requests(chosen.len(), weight * pages);
        let mut rows: Vec<u32> = chosen.iter().map(|stay| stay.row).collect();
        rows.sort_unstable();
        self.lifted.push(Block { spans, rows });
    }

    pub(crate) fn into_blocks(self) -> Vec<Block> {
        let mut blocks: Vec<Block> =
            self.windows.iter().map(|spans| Block { spans: spans.clone(), rows: Vec::new() }).collect();
        for stay in &self.stays {
            for block in &mut blocks[stay.first..stay.end] {
                block.rows.push(stay.row);
            }
        }
        for block in &mut blocks {
            block.rows.sort_unstable();
        }
        blocks.extend(self.lifted);
        blocks.retain(|block| !block.rows.is_empty());
        blocks
    }
}
