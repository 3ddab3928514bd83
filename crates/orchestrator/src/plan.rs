//! From a definition to slices: window, sessions, coverage, gaps.

use std::num::NonZeroU32;

use barkeep_calendar::{Always, Calendar, CalendarExt};
use barkeep_catalog::{Definition, Window};
use barkeep_planner::{PageModel, Plan, Planner, SeriesState};
use barkeep_provider::Limits;
use barkeep_store::{State, covered};
use barkeep_types::{Grid, Hours, Series, TimeRange, Timeframe};
use chrono::{DateTime, Utc};

use crate::taken::Taken;
use crate::{Orchestrator, Result};

/// The most pages of a slice. Long, because each slice wastes half a page at its end, and nothing is lost with a slice: it
/// is resumed by the page. The planner makes slices shorter where workers would be idle.
const LONGEST_SLICE: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// What one timeframe of a definition lacks, and the slices that bring it.
pub(crate) struct GroupPlan {
    pub(crate) plan: Plan,
    /// Whether slices of it are queued or running.
    pub(crate) in_flight: bool,
}

/// Plans one timeframe of a definition. Changes nothing.
pub(crate) async fn plan_group(
    orchestrator: &Orchestrator,
    definition: &Definition,
    timeframe: Timeframe,
    taken: &Taken,
) -> Result<GroupPlan> {
    let limits = orchestrator.provider().limits();
    let now = orchestrator.settings().clock.now();
    let TradingTime { grid, served } = trading_time(orchestrator, definition, timeframe, &limits, now);
    let series: Vec<Series> = definition.series().filter(|series| series.timeframe == timeframe).collect();
    let series: Vec<Series> = series.into_iter().filter(|series| !taken.is_rejected(series)).collect();
    let spans = orchestrator.backend().store.coverage(&series).await?;
    let covered: Vec<Vec<TimeRange>> =
        spans.iter().map(|spans| covered(spans, |span| span.state == State::Covered).ranges().to_vec()).collect();
    let live: Vec<Vec<TimeRange>> = series.iter().map(|series| taken.ranges(series)).collect();
    let states: Vec<SeriesState<'_>> = series
        .iter()
        .zip(covered.iter().zip(&live))
        .map(|(series, (covered, live))| SeriesState { symbol: &series.symbol, covered, live, density: None })
        .collect();
    let plan = planner(orchestrator, &limits, served).plan(&grid, now - limits.delay, &states);
    let window = grid.spans().first().zip(grid.spans().last());
    let window = window.and_then(|(first, last)| TimeRange::new(first.start(), last.end()).ok());
    let in_flight = series
        .iter()
        .flat_map(|series| taken.live(series))
        .any(|live| window.is_some_and(|window| window.overlaps(live)));
    Ok(GroupPlan { plan, in_flight })
}

/// A definition's window, from what the vendor has on.
struct TradingTime {
    /// The bars that may exist.
    grid: Grid,
    /// When the vendor has bars, wanted or not.
    served: Vec<TimeRange>,
}

fn trading_time(
    orchestrator: &Orchestrator,
    definition: &Definition,
    timeframe: Timeframe,
    limits: &Limits,
    now: DateTime<Utc>,
) -> TradingTime {
    let calendar: &dyn Calendar = match definition.hours {
        Hours::Regular | Hours::Extended => orchestrator.calendar(),
        Hours::Always => &Always,
    };
    let window = definition.window.range_at(now).map(|range| anchored(calendar, definition.window, range));
    let window = window.and_then(|range| range.from(limits.earliest.unwrap_or(range.start())));
    let spans = window.map(|range| calendar.spans(timeframe, definition.hours, range)).unwrap_or_default();
    let served =
        window.into_iter().flat_map(|range| calendar.sessions(range)).map(|session| session.span(Hours::Extended));
    TradingTime { grid: Grid::new(timeframe, spans), served: served.collect() }
}

/// A window of the last days starts where a day does, so that it stays the same from tick to tick.
fn anchored(calendar: &dyn Calendar, window: Window, range: TimeRange) -> TimeRange {
    match window {
        Window::Fixed(_) => range,
        Window::LastDays(_) => {
            let day = calendar.bar_at(Timeframe::D1, range.start());
            day.and_then(|day| TimeRange::new(day.start(), range.end()).ok()).unwrap_or(range)
        }
    }
}

/// What knows the vendor's pages, and the hours it serves: a request over several days costs the bars before the open and
/// after the close, wanted or not.
fn planner(orchestrator: &Orchestrator, limits: &Limits, served: Vec<TimeRange>) -> Planner {
    let fits = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let pages = PageModel {
        bars: limits.bars_a_page,
        source_bars: limits.source_minutes_a_page,
        symbols: fits(limits.symbols_a_request),
        url_bytes: fits(limits.symbol_bytes_a_request),
    };
    let mut planner = Planner::new(pages).with_longest_slice(LONGEST_SLICE).with_served(served);
    if let Some(workers) = NonZeroU32::new(orchestrator.settings().workers.into()) {
        planner = planner.with_workers(workers);
    }
    if let Some(limit) = limits.requests_a_minute.and_then(NonZeroU32::new) {
        planner = planner.with_request_limit(limit);
    }
    planner
}
