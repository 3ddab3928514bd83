//! A definition as a batch job: what it comes to, before its bars are there.

use std::fmt;
use std::time::{Duration, Instant};

use barkeep_catalog::{Definition, Narrowing};
use barkeep_types::Timeframe;
use serde::Serialize;

use crate::clock::Moment;
use crate::dispatch::{batches, check, fetched};
use crate::plan::{Group, Wanted};
use crate::taken::{Excused, Taken};
use crate::tick::plan_one;
use crate::{Orchestrator, Result};

/// What a definition came to when it was stored and planned.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BatchReport {
    /// How many jobs are new in the queue.
    pub jobs_created: u64,
    /// How many symbols the definition has.
    pub total_symbols: usize,
    /// The parts that they are asked for in.
    pub batches: Vec<BatchSize>,
    /// The timeframes.
    pub timeframes: Vec<Timeframe>,
    /// How many requests the jobs are expected to take.
    pub estimated_api_calls: u64,
    /// How many times as many it would take to ask for each symbol alone; 1 where nothing is to be asked.
    pub efficiency_gain: f64,
    /// How long the requests take at the vendor's limit; zero without one.
    pub estimated_duration: Duration,
    /// How long it took to store and plan.
    pub duration: Duration,
}

/// One part of a definition's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BatchSize {
    /// Which one, from 1.
    pub batch_number: u32,
    /// Of how many.
    pub total_batches: u32,
    /// How many symbols it has.
    pub symbols: usize,
}

pub(crate) async fn batch(orchestrator: &Orchestrator, definition: &Definition) -> Result<BatchReport> {
    let started = Instant::now();
    check(orchestrator, definition)?;
    orchestrator.backend().catalog.upsert(definition, Narrowing::Refuse).await?;
    let alone = requests_alone(orchestrator, definition).await?;
    let (jobs_created, requests) = if definition.enabled {
        let (dispatched, _) = plan_one(orchestrator, definition).await?;
        (dispatched.jobs, dispatched.requests)
    } else {
        (0, 0)
    };
    let limits = orchestrator.provider().limits();
    let seconds_a_request = limits.requests_a_minute.map_or(0.0, |limit| 60.0 / f64::from(limit.max(1)));
    Ok(BatchReport {
        jobs_created,
        total_symbols: definition.symbols.len(),
        batches: sizes(definition, limits.symbols_a_request),
        timeframes: definition.timeframes.clone(),
        estimated_api_calls: requests,
        efficiency_gain: if requests == 0 { 1.0 } else { alone as f64 / requests as f64 },
        estimated_duration: Duration::from_secs_f64(requests as f64 * seconds_a_request),
        duration: started.elapsed(),
    })
}

/// How many requests it would take to ask for each symbol alone.
async fn requests_alone(orchestrator: &Orchestrator, definition: &Definition) -> Result<u64> {
    let taken = Taken::read(orchestrator.backend(), &Excused::None).await?;
    let moment = Moment::now(orchestrator).await?;
    let mut requests = 0;
    for timeframe in fetched(definition) {
        let wanted = Wanted { definition, timeframe, symbols: &definition.symbols };
        let group = Group::look(orchestrator, wanted, &taken, moment).await?;
        requests += group.requests_alone(&orchestrator.settings());
    }
    Ok(requests)
}

/// The parts: as the definition says, or else as the vendor takes them.
fn sizes(definition: &Definition, most: usize) -> Vec<BatchSize> {
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let parted = Definition { batch_size: definition.batch_size.or(Some(most)), ..definition.clone() };
    let parts = batches(&parted).into_iter();
    let sizes = parts.filter_map(|(batch, symbols)| {
        let batch = batch?;
        Some(BatchSize { batch_number: batch.number, total_batches: batch.total, symbols: symbols.len() })
    });
    sizes.collect()
}

/// The summary for people.
impl fmt::Display for BatchReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jobs_created, total_symbols, estimated_api_calls, efficiency_gain, .. } = self;
        let timeframes: Vec<_> = self.timeframes.iter().map(|timeframe| timeframe.as_str()).collect();
        write!(formatter, "{jobs_created} jobs for {total_symbols} symbols ({})", timeframes.join(", "))?;
        write!(formatter, " in {} batches: {estimated_api_calls} requests, ", self.batches.len())?;
        write!(formatter, "{efficiency_gain:.3}x fewer than one by one")
    }
}
