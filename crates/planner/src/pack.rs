use std::time::Duration;

use barkeep_types::{Grid, Symbol, TimeRange};

use crate::{Density, Estimate, PageModel, Plan, Planner, Slice, Slots};

/// What one series lacks, as one run of slots.
#[derive(Clone, Debug)]
pub(crate) struct Gap<'a> {
    pub(crate) symbol: &'a Symbol,
    pub(crate) slots: Slots,
    pub(crate) density: Density,
}

/// Packs gaps of equal extent together.
pub(crate) fn pack(planner: &Planner, grid: &Grid, mut gaps: Vec<Gap<'_>>) -> Plan {
    let mut estimate = Estimate { gaps: gaps.len() as u64, ..Estimate::default() };
    estimate.missing_slots = gaps.iter().map(|gap| gap.slots.len() as u64).sum();
    let mut symbols: Vec<&Symbol> = gaps.iter().map(|gap| gap.symbol).collect();
    symbols.dedup();
    estimate.series = symbols.len() as u64;
    let share: f64 = gaps.iter().map(|gap| pages_of(planner, grid, gap)).sum();
    estimate.least_requests = (share.ceil() as u64).max(estimate.series.div_ceil(planner.pages.symbols.max(1).into()));

    gaps.sort_by_key(|gap| (gap.slots.start, gap.slots.end));
    let mut slices = Vec::new();
    for equal in gaps.chunk_by(|left, right| left.slots == right.slots) {
        for chunk in equal.chunks(planner.pages.symbols.max(1) as usize) {
            cut(planner, grid, chunk, &mut slices);
        }
    }
    slices.sort_by(|left: &Slice, right| (left.range, &left.symbols).cmp(&(right.range, &right.symbols)));
    estimate.requests = slices.iter().map(|slice| slice.requests).sum();
    estimate.bars = slices.iter().map(|slice| slice.bars).sum();
    estimate.bytes = estimate.bars * 120;
    estimate.duration = planner
        .requests_a_minute
        .map(|limit| Duration::from_secs_f64(estimate.requests as f64 * 60.0 / f64::from(limit.get())))
        .unwrap_or_default();
    Plan { slices, estimate }
}

fn spans_of(grid: &Grid, slots: &Slots) -> (usize, usize) {
    let first = grid.span_of(slots.start).unwrap_or(0);
    let last = grid.span_of(slots.end - 1).unwrap_or(first);
    (first, last + 1)
}

fn pages_of(planner: &Planner, grid: &Grid, gap: &Gap<'_>) -> f64 {
    let (first, end) = spans_of(grid, &gap.slots);
    planner.pages.share(grid.timeframe(), gap.density) * (end - first) as f64
}

/// Cuts one block of equal gaps at the ends of spans, into slices no longer than allowed.
fn cut(planner: &Planner, grid: &Grid, gaps: &[Gap<'_>], slices: &mut Vec<Slice>) {
    let (first, end) = spans_of(grid, &gaps[0].slots);
    let a_span: f64 = gaps.iter().map(|gap| planner.pages.share(grid.timeframe(), gap.density)).sum();
    let step = (f64::from(planner.longest_slice) / a_span).floor().max(1.0) as usize;
    for from in (first..end).step_by(step) {
        let to = (from + step).min(end);
        let start = grid.slots_of(from).start.max(gaps[0].slots.start);
        let stop = grid.slots_of(to - 1).end.min(gaps[0].slots.end);
        let bounds = grid.bar(start).zip(grid.bar(stop - 1));
        let range = bounds.and_then(|(first, last)| TimeRange::new(first.start(), last.end()).ok());
        let Some(range) = range else { continue };
        let spans = (to - from) as f64;
        slices.push(Slice {
            symbols: gaps.iter().map(|gap| gap.symbol.clone()).collect(),
            range,
            bars: gaps.iter().map(|gap| gap.density.bars * spans).sum::<f64>().ceil() as u64,
            requests: (a_span * spans).ceil().max(1.0) as u64,
        });
    }
}

const _: fn(&Symbol) -> u32 = PageModel::url_bytes_of;
