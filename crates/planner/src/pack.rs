//! From rows to slices.

use barkeep_types::{Grid, TimeRange};

use crate::lifts::{Block, Layout};
use crate::limits::{Limits, whole_pages};
use crate::load::{Load, Loads};
use crate::rows::{Row, Spans};
use crate::tile::tiles;
use crate::windows::windows;
use crate::{Slice, Slots};

/// How much of a page that only long runs keep from being full counts as filled when time is cut into windows: nothing,
/// and so much that lifts find more to take out.
const FILLERS: [f64; 2] = [0.0, 0.4];

/// What slices are made of, besides rows.
pub(crate) struct Packing<'a> {
    pub(crate) grid: &'a Grid,
    pub(crate) loads: &'a Loads,
    pub(crate) limits: Limits,
}

impl Packing<'_> {
    /// Slices for rows that may be asked for anything in passing.
    pub(crate) fn freely(&self, rows: &[Row<'_>]) -> Vec<Slice> {
        let rows: Vec<&Row<'_>> = rows.iter().collect();
        let spans = rows.iter().filter_map(|row| row.runs.last()).map(|run| run.spans.end).max().unwrap_or(0);
        let mut best: Option<Layout<'_>> = None;
        for filler in FILLERS {
            let windows = windows(&rows, spans, self.loads, &self.limits, filler);
            let mut layout = Layout::new(&rows, windows, self.loads, &self.limits);
            layout.lift();
            if best.as_ref().is_none_or(|best| layout.requests() < best.requests()) {
                best = Some(layout);
            }
            if best.as_ref().is_some_and(|best| !best.is_wasteful()) {
                break;
            }
        }
        best.map(|best| self.slices(&rows, &best.into_blocks())).unwrap_or_default()
    }

    /// Slices that ask for nothing but what is missing: those of equal extent together.
    pub(crate) fn exactly(&self, rows: &[Row<'_>]) -> Vec<Slice> {
        let mut runs: Vec<(Slots, Spans, &Row<'_>)> = rows
            .iter()
            .flat_map(|row| row.runs.iter().map(move |run| (run.slots.clone(), run.spans.clone(), row)))
            .collect();
        runs.sort_by(|left, right| {
            (left.0.start, left.0.end, left.2.symbol).cmp(&(right.0.start, right.0.end, right.2.symbol))
        });
        let equal = runs.chunk_by(|left, right| left.0 == right.0);
        equal
            .flat_map(|equal| {
                let rows: Vec<&Row<'_>> = equal.iter().map(|(_, _, row)| *row).collect();
                let tiles = tiles(&rows, &equal[0].1, self.loads, &self.limits);
                tiles.into_iter().filter_map(|(spans, rows)| self.slice(&equal[0].0, &spans, rows)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn slices(&self, rows: &[&Row<'_>], blocks: &[Block]) -> Vec<Slice> {
        let mut slices = Vec::new();
        let all = 0..self.grid.bars();
        for block in blocks {
            let rows: Vec<&Row<'_>> = block.rows.iter().map(|row| rows[*row as usize]).collect();
            for (spans, rows) in tiles(&rows, &block.spans, self.loads, &self.limits) {
                slices.extend(self.slice(&all, &spans, rows));
            }
        }
        slices
    }

    /// The slice of the rows that lack something in these spans and slots, no longer than what they lack.
    fn slice(&self, within: &Slots, spans: &Spans, rows: &[&Row<'_>]) -> Option<Slice> {
        let first = self.grid.slots_of(spans.start as usize).start.max(within.start);
        let end = self.grid.slots_of(spans.end as usize - 1).end.min(within.end);
        let lacking: Vec<(&Row<'_>, Slots)> =
            rows.iter().filter_map(|row| Some((*row, row.hull(&(first..end))?))).collect();
        let start = lacking.iter().map(|(_, hull)| hull.start).min()?;
        let last = lacking.iter().map(|(_, hull)| hull.end).max()? - 1;
        let range = TimeRange::new(self.grid.bar(start)?.start(), self.grid.bar(last)?.end()).ok()?;
        let (first, last) = (self.grid.span_of(start)?, self.grid.span_of(last)?);
        let full = self.loads.over(first as u32, last as u32 + 1);
        let fill = lacking.iter().fold(Load::default(), |sum, (row, _)| sum.plus(row.fill));
        let load = full.filled(fill);
        Some(Slice {
            symbols: lacking.iter().map(|(row, _)| row.symbol.clone()).collect(),
            range,
            bars: load.bars.ceil() as u64,
            requests: whole_pages(load.pages(self.loads.limits())) as u64,
        })
    }
}
