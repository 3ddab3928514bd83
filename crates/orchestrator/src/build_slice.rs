//! A slice, put together from stored bars of a shorter timeframe.

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_store::{Commit, Guard, StoreExt};
use barkeep_types::{Bar, Grid, Series, TimeRange, Timeframe};
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;

use crate::clock::Moment;
use crate::fetch_slice::guarded;
use crate::freshness::{by_state, final_until, held};
use crate::outcome::{Done, Failed};
use crate::{Orchestrator, ProgressEvent, Result, SliceJob};

/// How many bars are stored at a time.
const AT_A_TIME: usize = 10_000;

/// One series being built.
struct Building<'a> {
    orchestrator: &'a Orchestrator,
    guard: Option<&'a Guard>,
    source: Series,
    series: Series,
    final_until: DateTime<Utc>,
}

/// Builds what the slice lacks, wherever its source is there, all of it. Where it is not, the bar stays missing.
pub(crate) async fn build_slice(
    orchestrator: &Orchestrator,
    slice: &SliceJob,
    source: Timeframe,
    guard: Option<&Guard>,
) -> Result<Done, Failed> {
    let (symbols, timeframe, range) = (slice.symbols.len(), slice.timeframe, slice.range);
    orchestrator.progress().tell(ProgressEvent::SliceStarted { symbols, timeframe, range });
    let calendar = orchestrator.calendar_for(slice.hours);
    let (now, settle) = (Moment::now(orchestrator).await?.market, orchestrator.settings().settle);
    let source_final = final_until(calendar, source, now, settle);
    let final_until = final_until(calendar, timeframe, now, settle);
    let mut done = Done::new(slice);
    for symbol in &slice.symbols {
        let (series, source) = (slice.series_of(symbol.clone()), slice.series_in(symbol.clone(), source));
        let coverage = orchestrator.backend().store.coverage(std::slice::from_ref(&source), range).await?;
        let there = held(coverage.first().map_or(&[], Vec::as_slice), source_final);
        let building = Building { orchestrator, guard, source, series, final_until };
        let there = there.ranges().iter().filter_map(|there| there.intersection(&range));
        for range in there.filter_map(|range| whole_bars(calendar, timeframe, range)) {
            building.build(range, &mut done).await?;
        }
    }
    Ok(done)
}

impl Building<'_> {
    /// Builds the bars of a range, and proves it.
    async fn build(&self, range: TimeRange, done: &mut Done) -> Result<(), Failed> {
        let store = &self.orchestrator.backend().store;
        let grid = Grid::new(self.series.timeframe, vec![range]);
        let mut parts = store.resampled(&self.source, grid).try_chunks(AT_A_TIME);
        let mut rest = Some(range);
        while let Some(bars) = parts.try_next().await.map_err(|error| error.1)? {
            let proved_until = match bars.last() {
                Some(last) if bars.len() == AT_A_TIME => last.start + TimeDelta::seconds(1),
                // The bars of the last part prove all that is left.
                _ => range.end(),
            };
            self.commit(bars, rest.and_then(|rest| rest.before(proved_until)), done).await?;
            rest = rest.and_then(|rest| rest.from(proved_until));
        }
        self.commit(Vec::new(), rest, done).await
    }

    async fn commit(&self, bars: Vec<Bar>, proved: Option<TimeRange>, done: &mut Done) -> Result<(), Failed> {
        let Some(proved) = proved else { return Ok(()) };
        done.received(&self.series.symbol, bars.len());
        let mut commit = Commit::new(proved).with_bars(self.series.clone(), bars);
        for (range, state) in by_state(proved, self.final_until) {
            commit = commit.with_proof(self.series.clone(), range, state);
        }
        let committed = self.orchestrator.backend().store.commit(&guarded(commit, self.guard)).await?;
        done.bars_written += committed.written();
        done.bars_revised += committed.revised;
        self.orchestrator.progress().tell(ProgressEvent::committed(self.series.timeframe, &committed));
        Ok(())
    }
}

/// The part of a range that holds whole bars alone.
fn whole_bars(calendar: &dyn Calendar, timeframe: Timeframe, range: TimeRange) -> Option<TimeRange> {
    let first = calendar.bar_at(timeframe, range.start())?;
    let start = if first.start() == range.start() { first.start() } else { first.end() };
    let end = calendar.bar_at(timeframe, range.end())?.start();
    TimeRange::new(start, end).ok()
}
