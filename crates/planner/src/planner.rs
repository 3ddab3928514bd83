use std::num::NonZeroU32;

use barkeep_types::{Grid, Symbol, TimeRange};
use chrono::{DateTime, Utc};

use crate::gaps::locate;
use crate::pack::{Gap, pack};
use crate::{Density, PageModel, Plan, Slots, gaps};

/// Turns what is missing into slices. A value of settings; planning is a pure function of them and its arguments.
///
/// Required is what the vendor allows; the rest has defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planner {
    pub(crate) pages: PageModel,
    pub(crate) longest_slice: u32,
    pub(crate) workers: u32,
    pub(crate) requests_a_minute: Option<NonZeroU32>,
}

/// What is known of one series of a group.
#[derive(Clone, Copy, Debug)]
pub struct SeriesState<'a> {
    /// Its symbol.
    pub symbol: &'a Symbol,
    /// The time already fetched, in any order.
    pub covered: &'a [TimeRange],
    /// The time of slices that are queued or running, in any order. Never planned again, and never asked for in
    /// passing.
    pub live: &'a [TimeRange],
    /// What the vendor sends of it a span, if that was learned; otherwise [`Density::full`].
    pub density: Option<Density>,
}

impl Planner {
    /// Slices of at most 10 pages, enough of them for 4 workers, no request limit.
    pub fn new(pages: PageModel) -> Self {
        Self { pages, longest_slice: 10, workers: 4, requests_a_minute: None }
    }

    /// Lets slices grow to this many pages. A slice's pages come one after another, and a crash costs one page at
    /// most whatever the slice's length; shorter slices waste more of their last pages.
    #[must_use]
    pub fn with_longest_slice(self, pages: NonZeroU32) -> Self {
        Self { longest_slice: pages.get(), ..self }
    }

    /// Makes slices shorter where that is needed to keep so many workers busy.
    #[must_use]
    pub fn with_workers(self, workers: NonZeroU32) -> Self {
        Self { workers: workers.get(), ..self }
    }

    /// Estimates durations at this many requests a minute.
    #[must_use]
    pub fn with_request_limit(self, requests_a_minute: NonZeroU32) -> Self {
        Self { requests_a_minute: Some(requests_a_minute), ..self }
    }

    /// Plans one group: series that share timeframe, feed, adjustment and the bars that may exist.
    ///
    /// No bar that ends after `settled_until` is planned: it may still change. Pass now less the vendor's delay.
    pub fn plan(&self, grid: &Grid, settled_until: DateTime<Utc>, series: &[SeriesState<'_>]) -> Plan {
        let mut order: Vec<&SeriesState<'_>> = series.iter().collect();
        order.sort_by_key(|state| state.symbol);
        let window = 0..settled_slots(grid, settled_until);
        let (mut covered, mut live, mut found) = (Vec::new(), Vec::new(), Vec::new());
        let mut missing: Vec<Gap<'_>> = Vec::new();
        let full = Density::full(grid);
        for state in order {
            locate(grid, state.covered, &mut covered);
            locate(grid, state.live, &mut live);
            gaps(window.clone(), &covered, &live, &mut found);
            let density = state.density.unwrap_or(full);
            missing.extend(found.drain(..).map(|slots| Gap { symbol: state.symbol, slots, density }));
        }
        pack(self, grid, missing)
    }
}

/// How many of the grid's first bars have ended by then.
pub(crate) fn settled_slots(grid: &Grid, until: DateTime<Utc>) -> u32 {
    let started: Slots = 0..grid.first_slot_from(until);
    let unfinished = started.clone().next_back().and_then(|last| grid.bar(last)).is_some_and(|bar| bar.end() > until);
    started.end - u32::from(unfinished)
}
