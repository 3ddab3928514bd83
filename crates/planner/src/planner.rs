use std::num::NonZeroU32;
use std::time::Duration;

use barkeep_types::{Grid, Symbol, TimeRange};
use chrono::{DateTime, Utc};

use crate::limits::Limits;
use crate::load::Loads;
use crate::missing::Missing;
use crate::pack::Packing;
use crate::{Density, Estimate, PageModel, Plan, Slice};

/// About what a bar weighs in a vendor's JSON.
const BYTES_A_BAR: u64 = 110;

/// Turns what is missing into slices. A value of settings; planning is a pure function of them and its arguments.
///
/// Required is what the vendor allows; the rest has defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planner {
    pub(crate) pages: PageModel,
    served: Vec<TimeRange>,
    pub(crate) longest_slice: u32,
    pub(crate) workers: u32,
    requests_a_minute: Option<NonZeroU32>,
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
    /// What the vendor sends of it a session, if that was learned; otherwise a bar for every minute it could trade.
    pub density: Option<Density>,
}

impl Planner {
    /// Slices of at most 10 pages, enough of them for 4 workers, no request limit.
    pub fn new(pages: PageModel) -> Self {
        Self { pages, served: Vec::new(), longest_slice: 10, workers: 4, requests_a_minute: None }
    }

    /// When the vendor has bars, wanted or not: for US equities the extended hours of each session. A request over two
    /// sessions brings, and costs, what traded between them.
    ///
    /// Without it sessions shorter than 16 hours are taken to trade for 16.
    #[must_use]
    pub fn with_served(self, served: impl IntoIterator<Item = TimeRange>) -> Self {
        let mut served: Vec<TimeRange> = served.into_iter().collect();
        served.sort_unstable();
        // What overlaps is served once.
        let mut end = DateTime::<Utc>::MIN_UTC;
        served.retain_mut(|span| {
            let free = span.from(end);
            (*span, end) = free.map_or((*span, end), |free| (free, free.end()));
            free.is_some()
        });
        Self { served, ..self }
    }

    /// Lets slices grow to this many pages. A slice's pages come one after another; a crash costs one page at most
    /// whatever the slice's length; and shorter slices waste more of their last pages.
    #[must_use]
    pub fn with_longest_slice(self, pages: NonZeroU32) -> Self {
        Self { longest_slice: pages.get(), ..self }
    }

    /// Makes slices shorter where that is needed to keep so many workers busy to the end.
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
    /// - No bar that ends after `settled_until` is planned: it may still change. Pass now less the vendor's delay.
    /// - The slices hold every missing bar of every series exactly once, and nothing that is live. Covered bars are
    ///   asked for again only where that saves requests.
    /// - A slice starts and ends where a span of the grid does or where its first missing bar starts and its last one
    ///   ends; it is longer than the limit only where one span of one symbol is.
    /// - The same arguments give the same plan, whatever the order of the series. A symbol that is given twice is
    ///   planned once: what either of its states holds is held.
    pub fn plan(&self, grid: &Grid, settled_until: DateTime<Utc>, series: &[SeriesState<'_>]) -> Plan {
        let loads = Loads::new(grid, &self.served, &self.pages);
        let missing = Missing::find(grid, settled_until, series, &loads);
        let least = missing.least_requests(&loads, &self.pages);
        let pack = |rows| Packing { grid, loads: &loads, limits: Limits::new(self, rows, least) };
        let mut slices = pack(&missing.free).freely(&missing.free);
        slices.extend(pack(&missing.contested).exactly(&missing.contested));
        slices.sort_by(|left, right| (left.range, &left.symbols).cmp(&(right.range, &right.symbols)));
        let estimate = self.estimate(grid, &missing, least, &slices);
        Plan { slices, estimate }
    }

    fn estimate(&self, grid: &Grid, missing: &Missing<'_>, least_requests: u64, slices: &[Slice]) -> Estimate {
        let slots_asked = |slice: &Slice| grid.slots_in(slice.range).len() as u64 * slice.symbols.len() as u64;
        let requests = slices.iter().map(|slice| slice.requests).sum();
        let bars: u64 = slices.iter().map(|slice| slice.bars).sum();
        let a_request = self.requests_a_minute.map(|limit| Duration::from_secs(60) / limit.get());
        Estimate {
            series: (missing.free.len() + missing.contested.len()) as u64,
            gaps: missing.gaps,
            missing_slots: missing.slots,
            refetched_slots: slices.iter().map(slots_asked).sum::<u64>() - missing.slots,
            requests,
            least_requests,
            bars,
            bytes: bars * BYTES_A_BAR,
            duration: a_request
                .map(|each| each.saturating_mul(u32::try_from(requests).unwrap_or(u32::MAX)))
                .unwrap_or_default(),
        }
    }
}
