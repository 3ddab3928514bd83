//! A slice, put together from stored bars of a shorter timeframe.

use barkeep_calendar::{Calendar, CalendarExt};
use barkeep_store::{Commit, StoreExt};
use barkeep_types::{Bar, Grid, Series, TimeRange, Timeframe};
use chrono::TimeDelta;
use futures::TryStreamExt;

use crate::clock::Moment;
use crate::freshness::{by_state, final_until, held};
use crate::outcome::{Done, Failed};
use crate::{Orchestrator, ProgressEvent, Result, SliceJob};

/// How many bars are stored at a time.
const AT_A_TIME: usize = 10_000;

/// Builds what the slice lacks, wherever its source is there, all of it. Where it is not, the bar stays missing.
pub(crate) async fn build_slice(
    orchestrator: &Orchestrator,
    slice: &SliceJob,
    source: Timeframe,
) -> Result<Done, Failed> {
    let (symbols, timeframe, range) = (slice.symbols.len(), slice.timeframe, slice.range);
    orchestrator.progress().tell(ProgressEvent::SliceStarted { symbols, timeframe, range });
    let calendar = orchestrator.calendar_for(slice.hours);
    let (now, settle) = (Moment::now(orchestrator).await?.market, orchestrator.settings().settle);
    let source_final = final_until(calendar, source, now, settle);
    let mut done = Done::new(slice);
    for symbol in &slice.symbols {
        let (series, source) = (slice.series_of(symbol.clone()), slice.series_in(symbol.clone(), source));
        let coverage = orchestrator.backend().store.coverage(std::slice::from_ref(&source), range).await?;
        let there = held(coverage.first().map_or(&[], Vec::as_slice), source_final);
        for range in there.ranges().iter().filter_map(|there| there.intersection(&range)) {
            if let Some(range) = whole_bars(calendar, timeframe, range) {
                let final_until = final_until(calendar, timeframe, now, settle);
                build(orchestrator, (&source, &series), range, final_until, &mut done).await?;
            }
        }
    }
    Ok(done)
}

/// Builds the bars of a range, and proves it.
async fn build(
    orchestrator: &Orchestrator,
    (source, series): (&Series, &Series),
    range: TimeRange,
    final_until: chrono::DateTime<chrono::Utc>,
    done: &mut Done,
) -> Result<(), Failed> {
    let store = &orchestrator.backend().store;
    let built = store.resampled(source, Grid::new(series.timeframe, vec![range]));
    let mut parts = built.try_chunks(AT_A_TIME);
    let mut rest = Some(range);
    while let Some(bars) = parts.try_next().await.map_err(|error| error.1)? {
        let proved_until = match bars.last() {
            // The bars of the last part prove all that is left.
            Some(last) if bars.len() == AT_A_TIME => last.start + TimeDelta::seconds(1),
            _ => range.end(),
        };
        let proved = rest.and_then(|rest| rest.before(proved_until));
        commit(orchestrator, series, bars, proved, final_until, done).await?;
        rest = rest.and_then(|rest| rest.from(proved_until));
    }
    commit(orchestrator, series, Vec::new(), rest, final_until, done).await
}

async fn commit(
    orchestrator: &Orchestrator,
    series: &Series,
    bars: Vec<Bar>,
    proved: Option<TimeRange>,
    final_until: chrono::DateTime<chrono::Utc>,
    done: &mut Done,
) -> Result<(), Failed> {
    let Some(proved) = proved else { return Ok(()) };
    done.received(&series.symbol, bars.len());
    let mut commit = Commit::new(proved).with_bars(series.clone(), bars);
    for (range, state) in by_state(proved, final_until) {
        commit = commit.with_proof(series.clone(), range, state);
    }
    let committed = orchestrator.backend().store.commit(&commit).await?;
    done.bars_written += committed.written();
    done.bars_revised += committed.revised;
    orchestrator.progress().tell(ProgressEvent::committed(series.timeframe, &committed));
    Ok(())
}

/// The part of a range that holds whole bars alone.
fn whole_bars(calendar: &dyn Calendar, timeframe: Timeframe, range: TimeRange) -> Option<TimeRange> {
    let first = calendar.bar_at(timeframe, range.start())?;
    let start = if first.start() == range.start() { first.start() } else { first.end() };
    let end = calendar.bar_at(timeframe, range.end())?.start();
    TimeRange::new(start, end).ok()
}
