//! What a vendor sends of one symbol, bar by possible bar.

use barkeep_types::{Grid, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{PageModel, Slots};

/// The hours that a market is taken to trade around a span, where nobody said: the longest that US equities do.
const EXTENDED_SESSION: TimeDelta = TimeDelta::hours(16);

/// Bars, and the shorter bars that they are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Load {
    pub(crate) bars: f64,
    pub(crate) source_bars: f64,
}

impl Load {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { bars: self.bars + other.bars, source_bars: self.source_bars + other.source_bars }
    }

    fn minus(self, other: Self) -> Self {
        Self { bars: self.bars - other.bars, source_bars: self.source_bars - other.source_bars }
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        Self { bars: self.bars * factor, source_bars: self.source_bars * factor }
    }

    /// The part of it that a row has.
    pub(crate) fn filled(self, fill: Self) -> Self {
        Self { bars: self.bars * fill.bars, source_bars: self.source_bars * fill.source_bars }
    }

    /// The pages that this fills, not rounded.
    pub(crate) fn pages(self, limits: Load) -> f64 {
        (self.bars / limits.bars).max(self.source_bars / limits.source_bars)
    }
}

/// What a symbol that trades in every minute has, over any run of spans: a request over several spans also brings what
/// trades between them.
#[derive(Clone, Debug)]
pub(crate) struct Loads {
    /// Over all spans before each one, with what lies between them.
    before: Vec<Load>,
    /// The same up to each span's end.
    through: Vec<Load>,
    /// Over all spans before each one, without what lies between them.
    within_before: Vec<Load>,
    /// What a page holds.
    limits: Load,
}

impl Loads {
    /// Counts what is in the spans of `grid` and between them; `served` is when the vendor has bars, in order.
    pub(crate) fn new(grid: &Grid, served: &[TimeRange], pages: &PageModel) -> Self {
        let spans = grid.spans();
        let counter = Counter { timeframe: grid.timeframe(), served };
        let (mut before, mut through) = (Vec::with_capacity(spans.len()), Vec::with_capacity(spans.len()));
        let (mut sum, mut within) = (Load::default(), Load::default());
        let mut within_before = Vec::with_capacity(spans.len());
        for (index, span) in spans.iter().enumerate() {
            before.push(sum);
            within_before.push(within);
            let here = counter.within(*span);
            (sum, within) = (sum.plus(here), within.plus(here));
            through.push(sum);
            let next = spans.get(index + 1).and_then(|next| TimeRange::new(span.end(), next.start()).ok());
            sum = sum.plus(next.map(|between| counter.between(*span, between)).unwrap_or_default());
        }
        Self { before, through, within_before, limits: limits(grid.timeframe(), pages) }
    }

    /// The load of spans `from..to`, asked for in one request.
    pub(crate) fn over(&self, from: u32, to: u32) -> Load {
        self.through[to as usize - 1].minus(self.before[from as usize])
    }

    /// The load of some slots of a grid alone, which are not all in closed time.
    pub(crate) fn of_slots(&self, grid: &Grid, slots: &Slots) -> Load {
        self.of_slots_before(grid, slots.end).minus(self.of_slots_before(grid, slots.start))
    }

    fn of_slots_before(&self, grid: &Grid, slot: u32) -> Load {
        let Some(last) = slot.checked_sub(1) else { return Load::default() };
        let span = grid.span_of(last).unwrap_or_default();
        let slots = grid.slots_of(span);
        let part = f64::from(slot - slots.start) / f64::from(slots.end - slots.start);
        let here = self.through[span].minus(self.before[span]);
        self.within_before[span].plus(here.times(part))
    }

    /// The pages that spans `from..to` of one symbol fill, not rounded.
    pub(crate) fn pages(&self, from: u32, to: u32) -> f64 {
        self.over(from, to).pages(self.limits)
    }

    /// What a page holds.
    pub(crate) fn limits(&self) -> Load {
        self.limits
    }

    /// The load of a span as a mean, with what follows it.
    pub(crate) fn mean(&self) -> Load {
        let spans = self.through.len().max(1) as f64;
        self.through.last().copied().unwrap_or_default().times(1.0 / spans)
    }
}

fn limits(timeframe: Timeframe, pages: &PageModel) -> Load {
    let is_native = matches!(timeframe, Timeframe::M1 | Timeframe::D1);
    let source = pages.source_bars.filter(|_| !is_native);
    Load { bars: pages.bars.max(1).into(), source_bars: source.map_or(f64::INFINITY, |limit| limit.max(1).into()) }
}

struct Counter<'a> {
    timeframe: Timeframe,
    served: &'a [TimeRange],
}

impl Counter<'_> {
    fn within(&self, span: TimeRange) -> Load {
        match (self.timeframe.length(), self.served) {
            (None, _) => self.period(span),
            (Some(length), []) => Load { bars: bars(span, length), source_bars: minutes(span) },
            (Some(length), _) => self.served_in(span, length),
        }
    }

    fn between(&self, span: TimeRange, between: TimeRange) -> Load {
        match (self.timeframe.length(), self.served) {
            (None, _) => Load::default(),
            (Some(length), []) => {
                let rest = (EXTENDED_SESSION - span.length()).max(TimeDelta::zero()).min(between.length());
                TimeRange::new(between.start(), between.start() + rest)
                    .map(|extended| Load { bars: bars(extended, length), source_bars: minutes(extended) })
                    .unwrap_or_default()
            }
            (Some(length), _) => self.served_in(between, length),
        }
    }

    /// Days, weeks and months are one bar, made of days.
    fn period(&self, span: TimeRange) -> Load {
        let days = if self.served.is_empty() {
            span.length().num_hours() as f64 / 24.0
        } else {
            self.overlapping(span).count() as f64
        };
        Load { bars: 1.0, source_bars: days.round().max(1.0) }
    }

    fn overlapping(&self, range: TimeRange) -> impl Iterator<Item = TimeRange> {
        let first = self.served.partition_point(|served| served.end() <= range.start());
        self.served[first..].iter().map_while(move |served| served.intersection(&range))
    }

    /// The bars that start in `range` and hold served time, and the served minutes.
    fn served_in(&self, range: TimeRange, length: TimeDelta) -> Load {
        let length = length.num_seconds();
        let (mut load, mut next) = (Load::default(), ceil(range.start(), length));
        let end = ceil(range.end(), length);
        for served in self.overlapping(range) {
            let first = served.start().timestamp().div_euclid(length).max(next);
            let last = ceil(served.end(), length).min(end).max(first);
            load = load.plus(Load { bars: (last - first) as f64, source_bars: minutes(served) });
            next = last;
        }
        load
    }
}

/// The first bar of the UTC grid that does not start before `instant`, by number.
fn ceil(instant: DateTime<Utc>, length: i64) -> i64 {
    instant.timestamp().div_euclid(length) + i64::from(instant.timestamp().rem_euclid(length) > 0)
}

fn bars(span: TimeRange, length: TimeDelta) -> f64 {
    (minutes(span) * 60.0 / length.num_seconds() as f64).ceil()
}

fn minutes(span: TimeRange) -> f64 {
    span.length().num_seconds() as f64 / 60.0
}
