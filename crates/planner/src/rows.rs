//! What a group of series lacks, as runs of spans.

use std::ops::Range;

use barkeep_types::{Grid, Symbol};

use crate::load::{Load, Loads};
use crate::{PageModel, Slots};

/// A run of whole spans, by number.
pub(crate) type Spans = Range<u32>;

/// One series that lacks something.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) symbol: &'a Symbol,
    /// How much of what could trade does.
    pub(crate) fill: Load,
    /// Its part of the pages of a symbol that trades in every minute.
    pub(crate) weight: f64,
    /// Its runs, in order; at least one.
    pub(crate) runs: Vec<Run>,
}

/// Neighbouring spans that lack something, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) spans: Spans,
    /// From the first to the last slot that is missing.
    pub(crate) slots: Slots,
}

impl<'a> Row<'a> {
    /// A row that lacks `runs`, of which there is at least one.
    pub(crate) fn new(symbol: &'a Symbol, fill: Load, runs: Vec<Run>, loads: &Loads) -> Self {
        let (full, limits) = (loads.mean(), loads.limits());
        // A little, so that no number of rows weighs nothing.
        let weight = (full.filled(fill).pages(limits) / full.pages(limits)).max(1e-6);
        Self { symbol, fill, weight, runs }
    }

    pub(crate) fn url_bytes(&self) -> u32 {
        PageModel::url_bytes_of(self.symbol)
    }

    /// From the first to the last missing slot in the grid's slots `within`.
    pub(crate) fn hull(&self, within: &Slots) -> Option<Slots> {
        let first = self.runs.partition_point(|run| run.slots.end <= within.start);
        let after = self.runs.partition_point(|run| run.slots.start < within.end);
        let runs = self.runs.get(first..after)?;
        let start = runs.first()?.slots.start.max(within.start);
        Some(start..runs.last()?.slots.end.min(within.end))
    }
}

impl Run {
    /// One run for each gap.
    pub(crate) fn of_each(gaps: &[Slots], grid: &Grid) -> Vec<Self> {
        gaps.iter().map(|gap| Self::new(gap.clone(), grid)).collect()
    }

    /// One run for all gaps that share a span or lie in neighbouring ones; the gaps are in order.
    pub(crate) fn of_neighbours(gaps: &[Slots], grid: &Grid) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for gap in gaps {
            let run = Self::new(gap.clone(), grid);
            match runs.last_mut() {
                Some(last) if run.spans.start <= last.spans.end => {
                    last.spans.end = run.spans.end;
                    last.slots.end = run.slots.end;
                }
                _ => runs.push(run),
            }
        }
        runs
    }

    fn new(slots: Slots, grid: &Grid) -> Self {
        let first = grid.span_of(slots.start).unwrap_or_default();
        let last = grid.span_of(slots.end - 1).unwrap_or(first);
        // A grid has no more spans than bars, which are counted in 32 bits.
        Self { spans: first as u32..last as u32 + 1, slots }
    }
}
