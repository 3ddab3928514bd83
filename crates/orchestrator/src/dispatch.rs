//! One definition: what it lacks becomes slices in the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use barkeep_catalog::Definition;
use barkeep_planner::Estimate;
use barkeep_queue::NewJob;
use barkeep_types::{Series, Symbol, Timeframe};
use tracing::Instrument;

use crate::clock::Moment;
use crate::derive::buildable;
use crate::plan::{Group, Wanted, series_of};
use crate::slice_job::Batch;
use crate::standing::Standing;
use crate::taken::Taken;
use crate::{Error, Orchestrator, Result, SliceJob};

/// The most empty answers that one planning of a definition asks for again; the next ones have the rest.
const DOUBTS: u64 = 500;

/// What planning a definition came to.
#[derive(Debug, Default)]
pub(crate) struct Dispatched {
    /// The series looked at.
    pub(crate) series: u64,
    pub(crate) gaps: u64,
    pub(crate) slices: Vec<SliceJob>,
    /// How many of the slices are new in the queue.
    pub(crate) jobs: u64,
    pub(crate) requests: u64,
    pub(crate) least_requests: u64,
    pub(crate) rechecked: u64,
    pub(crate) reverified: u64,
    pub(crate) in_flight: bool,
    /// How complete the series are, before what is enqueued now.
    pub(crate) standing: BTreeMap<Timeframe, Standing>,
}

/// Plans a definition and enqueues what it lacks. What is enqueued is taken.
pub(crate) async fn dispatch(
    orchestrator: &Orchestrator,
    definition: &Definition,
    taken: &mut Taken,
    moment: Moment,
) -> Result<Dispatched> {
    let span = tracing::info_span!("plan", definition = definition.name);
    let began = Instant::now();
    async {
        let done = plan_and_enqueue(orchestrator, definition, taken, moment).await?;
        tracing::debug!(
            series = done.series,
            gaps = done.gaps,
            slices = done.slices.len(),
            dispatched = done.jobs,
            requests = done.requests,
            elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "planned"
        );
        Ok(done)
    }
    .instrument(span)
    .await
}

async fn plan_and_enqueue(
    orchestrator: &Orchestrator,
    definition: &Definition,
    taken: &mut Taken,
    moment: Moment,
) -> Result<Dispatched> {
    check(orchestrator, definition)?;
    let mut done = Dispatched::default();
    for timeframe in fetched(definition) {
        let mut slices = Vec::new();
        for (batch, symbols) in batches(definition) {
            let wanted = Wanted { definition, timeframe, symbols };
            let mut group = Group::look(orchestrator, wanted, taken, moment).await?;
            done.standing.entry(timeframe).or_default().add(&group.standing());
            done.rechecked += group.doubt_empty(orchestrator, moment, DOUBTS - done.rechecked).await?;
            done.in_flight |= group.is_in_flight();
            let plan = group.plan(&orchestrator.settings());
            let Estimate { gaps, requests, least_requests, .. } = plan.estimate;
            let planned = plan.slices.into_iter();
            slices.extend(planned.map(|slice| SliceJob { batch, ..SliceJob::new(definition, timeframe, slice) }));
            done.series += symbols.len() as u64;
            done.gaps += gaps;
            done.requests += requests;
            done.least_requests += least_requests;
        }
        // Of equal priority the first come first: no symbol's second slice goes before another's first.
        slices.sort_by_key(|slice| slice.range);
        if let Some(most) = orchestrator.settings().slices_a_tick {
            slices.truncate(most.get() as usize);
        }
        enqueue(orchestrator, definition, slices, taken, &mut done).await?;
    }
    for timeframe in definition.timeframes.iter().copied().filter(|timeframe| definition.is_derived(*timeframe)) {
        let wanted = Wanted { definition, timeframe, symbols: &definition.symbols };
        let group = Group::look(orchestrator, wanted, taken, moment).await?;
        done.standing.entry(timeframe).or_default().add(&group.standing());
        done.in_flight |= group.is_in_flight();
        let slices = buildable(orchestrator, definition, &group, moment).await?;
        done.gaps += slices.iter().map(|slice| slice.symbols.len() as u64).sum::<u64>();
        enqueue(orchestrator, definition, slices, taken, &mut done).await?;
        done.series += definition.symbols.len() as u64;
    }
    Ok(done)
}

/// Tells whether the definition can be kept filled, from this vendor.
pub(crate) fn check(orchestrator: &Orchestrator, definition: &Definition) -> Result<()> {
    let name = || definition.name.clone();
    definition.check().map_err(|faults| Error::Definition { name: name(), faults })?;
    let most = orchestrator.provider().limits().symbols_a_request;
    match definition.batch_size {
        Some(size) if size as usize > most => Err(Error::Batch { name: name(), size, most }),
        _ => Ok(()),
    }
}

/// The timeframes that are asked of the vendor: those not derived, and once what the others are derived from.
pub(crate) fn fetched(definition: &Definition) -> Vec<Timeframe> {
    let (derived, mut fetched): (Vec<Timeframe>, Vec<Timeframe>) =
        definition.timeframes.iter().partition(|timeframe| definition.is_derived(**timeframe));
    if let Some(source) = definition.derive_from
        && !derived.is_empty()
        && !fetched.contains(&source)
    {
        fetched.push(source);
    }
    fetched
}

/// Every series of a definition, those that others are derived from included.
pub(crate) fn all_series(definition: &Definition) -> BTreeSet<Series> {
    let timeframes = definition.timeframes.iter().copied().chain(fetched(definition));
    let series = timeframes
        .flat_map(|timeframe| definition.symbols.iter().map(move |symbol| series_of(definition, timeframe, symbol)));
    series.collect()
}

/// The definition's symbols in the parts it asks for: in order, all but the last full.
pub(crate) fn batches(definition: &Definition) -> Vec<(Option<Batch>, &[Symbol])> {
    let Some(size) = definition.batch_size else { return vec![(None, &definition.symbols)] };
    let parts = definition.symbols.chunks(size.max(1) as usize);
    let total = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    (1..).zip(parts).map(|(number, symbols)| (Some(Batch { number, total }), symbols)).collect()
}

/// Puts slices of a definition into the queue; then they are taken.
pub(crate) async fn enqueue(
    orchestrator: &Orchestrator,
    definition: &Definition,
    slices: Vec<SliceJob>,
    taken: &mut Taken,
    done: &mut Dispatched,
) -> Result<()> {
    let jobs: Vec<NewJob> = slices.iter().map(|slice| slice.job(definition)).collect();
    let added = orchestrator.backend().queue.enqueue(&jobs).await?;
    if !slices.is_empty() {
        orchestrator.bell().ring();
    }
    slices.iter().for_each(|slice| taken.take(slice));
    done.jobs += added.iter().flatten().count() as u64;
    done.in_flight |= !slices.is_empty();
    done.slices.extend(slices);
    Ok(())
}

#[cfg(test)]
mod tests {
    use barkeep_catalog::presets;

    use super::*;

    #[test]
    fn what_others_are_derived_from_is_fetched_once() {
        let asked = |timeframes: &[Timeframe], source| {
            let timeframes = timeframes.to_vec();
            fetched(&Definition { timeframes, derive_from: source, ..presets::tech20() })
        };
        let (m1, m5, m15, h1, d1) = (Timeframe::M1, Timeframe::M5, Timeframe::M15, Timeframe::H1, Timeframe::D1);
        assert_eq!(asked(&[m5, h1, d1], None), [m5, h1, d1]);
        assert_eq!(asked(&[m5, h1, d1], Some(m1)), [d1, m1]);
        assert_eq!(asked(&[m1, h1], Some(m1)), [m1]);
        assert_eq!(asked(&[m5, h1], Some(m15)), [m5, m15]);
        assert_eq!(asked(&[d1], Some(m1)), [d1]);
    }

    #[test]
    fn sixty_one_symbols_are_a_batch_of_fifty_and_one_of_eleven() {
        let symbols: Vec<Symbol> = (0..61).map(|number| format!("S{number}").parse().unwrap()).collect();
        let sizes = |batch_size| {
            let definition = Definition { symbols: symbols.clone(), batch_size, ..presets::tech20() };
            let batches = batches(&definition).into_iter();
            batches
                .map(|(batch, symbols)| (batch.map(|Batch { number, total }| (number, total)), symbols.len()))
                .collect()
        };
        let sizes: [Vec<_>; 3] = [sizes(Some(50)), sizes(Some(100)), sizes(None)];
        assert_eq!(sizes, [vec![(Some((1, 2)), 50), (Some((2, 2)), 11)], vec![(Some((1, 1)), 61)], vec![(None, 61)]]);
    }
}
