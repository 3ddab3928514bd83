//! What it would cost to fill what is missing, before anything is spent.

use std::fmt;
use std::time::Duration;

use barkeep_catalog::Definition;
use barkeep_planner::{Estimate, Plan};
use barkeep_types::Timeframe;
use serde::Serialize;

use crate::clock::Moment;
use crate::dispatch::{batches, check, fetched};
use crate::plan::{Group, Wanted};
use crate::taken::{Excused, Taken};
use crate::{Orchestrator, Result, SliceJob};

/// What is missing, and what it would cost to fetch it. Nothing was fetched and nothing queued to find out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Forecast {
    /// By definition and timeframe.
    pub lines: Vec<ForecastLine>,
    /// The requests that slices in the queue are expected to take, besides.
    pub queued_requests: u64,
    /// The most requests a minute, if the vendor limits them.
    pub requests_a_minute: Option<u32>,
}

/// What one timeframe of a definition would cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ForecastLine {
    /// The definition.
    pub definition: String,
    /// The timeframe.
    pub timeframe: Timeframe,
    /// The series that lack something.
    pub series: u64,
    /// The bars that may exist and were not fetched.
    pub missing_bars: u64,
    /// The slices.
    pub slices: u64,
    /// The requests.
    pub requests: u64,
    /// No packing could take fewer.
    pub least_requests: u64,
    /// The bars that will be sent.
    pub bars: u64,
    /// What the answers weigh before compression, in bytes.
    pub bytes: u64,
}

impl ForecastLine {
    fn new(definition: &Definition, timeframe: Timeframe) -> Self {
        Self {
            definition: definition.name.clone(),
            timeframe,
            series: 0,
            missing_bars: 0,
            slices: 0,
            requests: 0,
            least_requests: 0,
            bars: 0,
            bytes: 0,
        }
    }

    fn add(&mut self, plan: &Plan) {
        let Estimate { series, missing_slots, requests, least_requests, bars, bytes, .. } = plan.estimate;
        self.series += series;
        self.missing_bars += missing_slots;
        self.slices += plan.slices.len() as u64;
        self.requests += requests;
        self.least_requests += least_requests;
        self.bars += bars;
        self.bytes += bytes;
    }
}

impl Forecast {
    /// The requests of all lines.
    pub fn requests(&self) -> u64 {
        self.lines.iter().map(|line| line.requests).sum()
    }

    /// How long that takes at the vendor's limit, after what is queued; `None` without a limit.
    pub fn duration(&self) -> Option<Duration> {
        let limit = f64::from(self.requests_a_minute?);
        Some(Duration::from_secs_f64((self.requests() + self.queued_requests) as f64 * 60.0 / limit.max(1.0)))
    }
}

/// Plans `definitions` as a tick would.
pub(crate) async fn forecast(orchestrator: &Orchestrator, definitions: &[Definition]) -> Result<Forecast> {
    let mut taken = Taken::read(orchestrator.backend(), &Excused::None).await?;
    let live = orchestrator.backend().inspect.live(SliceJob::KIND).await?;
    let queued = live.iter().filter_map(|job| SliceJob::read(&job.payload).ok());
    let mut forecast = Forecast {
        lines: Vec::new(),
        queued_requests: queued.map(|slice| slice.expected_requests).sum(),
        requests_a_minute: orchestrator.provider().limits().requests_a_minute,
    };
    let moment = Moment::now(orchestrator).await?;
    for definition in definitions {
        check(orchestrator, definition)?;
        for timeframe in fetched(definition) {
            let mut line = ForecastLine::new(definition, timeframe);
            for (_, symbols) in batches(definition) {
                let wanted = Wanted { definition, timeframe, symbols };
                let plan = Group::look(orchestrator, wanted, &taken, moment).await?.plan(&orchestrator.settings());
                line.add(&plan);
                // What two definitions lack is fetched once.
                let slices = plan.slices.into_iter().map(|slice| SliceJob::new(definition, timeframe, slice));
                slices.for_each(|slice| taken.take(&slice));
            }
            forecast.lines.push(line);
        }
    }
    Ok(forecast)
}

/// For people: a line each, and what it comes to.
impl fmt::Display for Forecast {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let ForecastLine { definition, timeframe, series, missing_bars, slices, requests, .. } = line;
            writeln!(
                formatter,
                "{definition} {timeframe}: {series} series lack {missing_bars} bars: {slices} slices, {requests} requests"
            )?;
        }
        write!(formatter, "{} requests, and {} queued", self.requests(), self.queued_requests)?;
        match self.duration() {
            Some(duration) => write!(formatter, ": {} s at the vendor's limit", duration.as_secs()),
            None => Ok(()),
        }
    }
}
