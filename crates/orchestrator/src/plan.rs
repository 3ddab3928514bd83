//! From a definition to slices: window, sessions, coverage, gaps.

use std::num::NonZeroU32;

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_catalog::{Definition, Window};
use barkeep_planner::{Explanation, PageModel, Plan, Planner, SeriesState, explain};
use barkeep_provider::Limits;
use barkeep_store::Span;
use barkeep_types::{Grid, Hours, Series, Symbol, TimeRange, Timeframe};
use chrono::{DateTime, Utc};

use crate::clock::Moment;
use crate::freshness::{empty_again, final_until, held};
use crate::taken::Taken;
use crate::{Orchestrator, Result, Settings};

/// Some symbols of a definition in one timeframe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) timeframe: Timeframe,
    pub(crate) symbols: &'a [Symbol],
}

/// Series of one timeframe, as they stand.
pub(crate) struct Group {
    limits: Limits,
    pub(crate) settled_until: DateTime<Utc>,
    pub(crate) grid: Grid,
    /// When the vendor has bars, wanted or not.
    served: Vec<TimeRange>,
    pub(crate) members: Vec<Member>,
}

/// One of its series.
pub(crate) struct Member {
    pub(crate) series: Series,
    spans: Vec<Span>,
    pub(crate) held: Vec<TimeRange>,
    pub(crate) live: Vec<TimeRange>,
    /// What is not to be asked for now, because it failed or is looked at again later.
    put_aside: Vec<TimeRange>,
}

impl Group {
    /// Looks at everything that planning needs. Series that the vendor refuses are left out.
    pub(crate) async fn look(
        orchestrator: &Orchestrator,
        wanted: Wanted<'_>,
        taken: &Taken,
        moment: Moment,
    ) -> Result<Self> {
        let Wanted { definition, timeframe, symbols } = wanted;
        let limits = orchestrator.provider().limits();
        let calendar = orchestrator.calendar_for(definition.hours);
        let window = window(calendar, definition.window, &limits, moment.market);
        let spans = window.map(|range| trading(calendar, definition, timeframe, range)).unwrap_or_default();
        let served = window.into_iter().flat_map(|range| calendar.sessions(range));
        let series = symbols.iter().map(|symbol| series_of(definition, timeframe, symbol));
        let series: Vec<Series> = series.filter(|series| !taken.is_rejected(series)).collect();
        let final_until = final_until(calendar, timeframe, moment.market, orchestrator.settings().settle);
        let mut members = Vec::with_capacity(series.len());
        if let Some(window) = hull(&spans) {
            let coverage = orchestrator.backend().store.coverage(&series, window).await?;
            let series = series.into_iter().zip(coverage);
            members.extend(series.map(|(series, spans)| Member::new(series, spans, final_until, taken)));
        }
        Ok(Self {
            settled_until: moment.market - limits.delay,
            limits,
            grid: Grid::new(timeframe, spans),
            served: served.map(|session| session.span(Hours::Extended)).collect(),
            members,
        })
    }

    /// Doubts empty answers whose time has come, at most so many, so that they are planned like gaps; returns how many.
    pub(crate) async fn doubt_empty(&mut self, orchestrator: &Orchestrator, moment: Moment, most: u64) -> Result<u64> {
        let recheck_after = orchestrator.settings().recheck_after;
        let mut doubted = 0;
        for member in &mut self.members {
            for range in empty_again(&member.spans, moment.database, recheck_after) {
                if doubted == most {
                    return Ok(doubted);
                }
                orchestrator.backend().store.suspect(&member.series, range).await?;
                let mut held: barkeep_types::Coverage = member.held.iter().copied().collect();
                held.remove(range);
                member.held = held.ranges().to_vec();
                doubted += 1;
            }
        }
        Ok(doubted)
    }

    /// The slices that bring what is missing; what is queued, running or put aside is left out.
    pub(crate) fn plan(&self, settings: &Settings) -> Plan {
        self.plan_with(&self.limits, settings)
    }

    /// How many requests it would take to ask for each symbol alone.
    pub(crate) fn requests_alone(&self, settings: &Settings) -> u64 {
        let alone = Limits { symbols_a_request: 1, ..self.limits.clone() };
        self.plan_with(&alone, settings).estimate.requests
    }

    fn plan_with(&self, limits: &Limits, settings: &Settings) -> Plan {
        let out_of_reach: Vec<Vec<TimeRange>> = self.members.iter().map(Member::out_of_reach).collect();
        let states = self.members.iter().zip(&out_of_reach).map(|(member, live)| member.state(live));
        let states: Vec<SeriesState<'_>> = states.collect();
        planner(limits, self.served.clone(), settings).plan(&self.grid, self.settled_until, &states)
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
        let mut live = self.members.iter().flat_map(|member| &member.live);
        hull(self.grid.spans()).is_some_and(|window| live.any(|live| window.overlaps(live)))
    }
}

impl Member {
    fn new(series: Series, spans: Vec<Span>, final_until: DateTime<Utc>, taken: &Taken) -> Self {
        Self {
            held: held(&spans, final_until).ranges().to_vec(),
            live: taken.live(&series).to_vec(),
            put_aside: taken.put_aside(&series),
            spans,
            series,
        }
    }

    pub(crate) fn state<'a>(&'a self, live: &'a [TimeRange]) -> SeriesState<'a> {
        SeriesState { symbol: &self.series.symbol, covered: &self.held, live, density: None }
    }

    pub(crate) fn out_of_reach(&self) -> Vec<TimeRange> {
        [self.live.as_slice(), &self.put_aside].concat()
    }
}

pub(crate) fn series_of(definition: &Definition, timeframe: Timeframe, symbol: &Symbol) -> Series {
    let (feed, adjustment) = (definition.feed.clone(), definition.adjustment);
    Series { symbol: symbol.clone(), timeframe, feed, adjustment }
}

/// The time of the bars of a timeframe that a definition wants: for itself, and to build others from.
fn trading(
    calendar: &dyn Calendar,
    definition: &Definition,
    timeframe: Timeframe,
    window: TimeRange,
) -> Vec<TimeRange> {
    let is_built = |other: &Timeframe| definition.derive_from == Some(timeframe) && definition.is_derived(*other);
    let wanted = definition.timeframes.iter().copied().filter(|other| *other == timeframe || is_built(other));
    // Of a coarse bar that the open lies in, the minutes before the open are a part.
    wanted.flat_map(|timeframe| calendar.spans(timeframe, definition.hours, window)).collect()
}

pub(crate) fn hull(spans: &[TimeRange]) -> Option<TimeRange> {
    let start = spans.iter().map(|span| span.start()).min()?;
    let end = spans.iter().map(|span| span.end()).max()?;
    TimeRange::new(start, end).ok()
}

/// A definition's window, from what the vendor has on. One of the last days starts where a day does, so that it stays the
/// same from tick to tick.
pub(crate) fn window(
    calendar: &dyn Calendar,
    window: Window,
    limits: &Limits,
    now: DateTime<Utc>,
) -> Option<TimeRange> {
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
fn planner(limits: &Limits, served: Vec<TimeRange>, settings: &Settings) -> Planner {
    let fits = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let pages = PageModel {
        bars: limits.bars_a_page,
        source_bars: limits.source_minutes_a_page,
        symbols: fits(limits.symbols_a_request),
        url_bytes: fits(limits.symbol_bytes_a_request),
    };
    let mut planner = Planner::new(pages).with_longest_slice(settings.longest_slice).with_served(served);
    if let Some(workers) = NonZeroU32::new(settings.workers.into()) {
        planner = planner.with_workers(workers);
    }
    if let Some(limit) = limits.requests_a_minute.and_then(NonZeroU32::new) {
        planner = planner.with_request_limit(limit);
    }
    planner
}
