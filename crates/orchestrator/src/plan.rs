//! From a definition to slices: window, sessions, coverage, gaps.

use std::num::NonZeroU32;

use barkeep_calendar::{Always, Calendar, CalendarExt};
use barkeep_catalog::{Definition, Window};
use barkeep_planner::{Explanation, PageModel, Plan, Planner, SeriesState, explain};
use barkeep_provider::Limits;
use barkeep_store::{State, covered};
use barkeep_types::{Grid, Hours, Series, TimeRange, Timeframe};
use chrono::{DateTime, Utc};

use crate::taken::Taken;
use crate::{Orchestrator, Result};

/// The most pages of a slice. Long, because each slice wastes half a page at its end, and nothing is lost with a slice: it
/// is resumed by the page. The planner makes slices shorter where workers would be idle.
const LONGEST_SLICE: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// One timeframe of a definition, as it stands.
pub(crate) struct Group {
    limits: Limits,
    settled_until: DateTime<Utc>,
    grid: Grid,
    /// When the vendor has bars, wanted or not.
    served: Vec<TimeRange>,
    members: Vec<Member>,
}

/// One of its series.
struct Member {
    series: Series,
    covered: Vec<TimeRange>,
    live: Vec<TimeRange>,
    /// What failed, and is not to be tried again for now.
    failed: Vec<TimeRange>,
}

impl Group {
    /// Looks at everything that planning needs. Series that the vendor refuses are left out.
    pub(crate) async fn look(
        orchestrator: &Orchestrator,
        definition: &Definition,
        timeframe: Timeframe,
        taken: &Taken,
    ) -> Result<Self> {
        let limits = orchestrator.provider().limits();
        let now = orchestrator.settings().clock.now();
        let calendar: &dyn Calendar = match definition.hours {
            Hours::Regular | Hours::Extended => orchestrator.calendar(),
            Hours::Always => &Always,
        };
        let window = window(calendar, definition.window, &limits, now);
        let spans = window.map(|range| calendar.spans(timeframe, definition.hours, range)).unwrap_or_default();
        let served = window.into_iter().flat_map(|range| calendar.sessions(range));
        let series = definition.series().filter(|series| series.timeframe == timeframe && !taken.is_rejected(series));
        Ok(Self {
            settled_until: now - limits.delay,
            limits,
            grid: Grid::new(timeframe, spans),
            served: served.map(|session| session.span(Hours::Extended)).collect(),
            members: members(orchestrator, series.collect(), window, taken).await?,
        })
    }

    /// The slices that bring what is missing, queued, running and failed ones aside.
    pub(crate) fn plan(self, workers: u16) -> Plan {
        let out_of_reach: Vec<Vec<TimeRange>> = self.members.iter().map(Member::out_of_reach).collect();
        let states = self.members.iter().zip(&out_of_reach).map(|(member, live)| member.state(live));
        let states: Vec<SeriesState<'_>> = states.collect();
        planner(&self.limits, self.served, workers).plan(&self.grid, self.settled_until, &states)
    }

    /// Says of every bar of a series that may exist why it is missing or not; failed slices count as missing.
    pub(crate) fn explain(&self, series: &Series) -> Vec<Explanation> {
        let member = self.members.iter().find(|member| member.series == *series);
        let explain = |member: &Member| explain(&self.grid, self.settled_until, &member.state(&member.live));
        member.map(explain).unwrap_or_default()
    }

    /// Its series.
    pub(crate) fn series(&self) -> impl Iterator<Item = &Series> {
        self.members.iter().map(|member| &member.series)
    }

    /// Whether slices of it are queued or running.
    pub(crate) fn is_in_flight(&self) -> bool {
        let ends = self.grid.spans().first().zip(self.grid.spans().last());
        let window = ends.and_then(|(first, last)| TimeRange::new(first.start(), last.end()).ok());
        let mut live = self.members.iter().flat_map(|member| &member.live);
        window.is_some_and(|window| live.any(|live| window.overlaps(live)))
    }
}

impl Member {
    fn state<'a>(&'a self, live: &'a [TimeRange]) -> SeriesState<'a> {
        SeriesState { symbol: &self.series.symbol, covered: &self.covered, live, density: None }
    }

    fn out_of_reach(&self) -> Vec<TimeRange> {
        [self.live.as_slice(), &self.failed].concat()
    }
}

async fn members(
    orchestrator: &Orchestrator,
    series: Vec<Series>,
    window: Option<TimeRange>,
    taken: &Taken,
) -> Result<Vec<Member>> {
    let Some(window) = window else { return Ok(Vec::new()) };
    let coverage = orchestrator.backend().store.coverage(&series, window).await?;
    let member = |(series, spans): (Series, Vec<_>)| Member {
        covered: covered(&spans, |span| span.state == State::Covered).ranges().to_vec(),
        live: taken.live(&series).to_vec(),
        failed: taken.failed(&series),
        series,
    };
    Ok(series.into_iter().zip(coverage).map(member).collect())
}

/// A definition's window, from what the vendor has on. One of the last days starts where a day does, so that it stays the
/// same from tick to tick.
fn window(calendar: &dyn Calendar, window: Window, limits: &Limits, now: DateTime<Utc>) -> Option<TimeRange> {
    let range = window.range_at(now)?;
    let range = match window {
        Window::Fixed(_) => range,
        Window::LastDays(_) => {
            let day = calendar.bar_at(Timeframe::D1, range.start())?;
            TimeRange::new(day.start(), range.end()).ok()?
        }
    };
    range.from(limits.earliest.unwrap_or(range.start()))
}

/// What knows the vendor's pages, and the hours it serves: a request over several days costs the bars before the open and
/// after the close, wanted or not.
fn planner(limits: &Limits, served: Vec<TimeRange>, workers: u16) -> Planner {
    let fits = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let pages = PageModel {
        bars: limits.bars_a_page,
        source_bars: limits.source_minutes_a_page,
        symbols: fits(limits.symbols_a_request),
        url_bytes: fits(limits.symbol_bytes_a_request),
    };
    let mut planner = Planner::new(pages).with_longest_slice(LONGEST_SLICE).with_served(served);
    if let Some(workers) = NonZeroU32::new(workers.into()) {
        planner = planner.with_workers(workers);
    }
    if let Some(limit) = limits.requests_a_minute.and_then(NonZeroU32::new) {
        planner = planner.with_request_limit(limit);
    }
    planner
}
