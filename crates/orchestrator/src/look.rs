//! One look at how everything is doing, and what was seen over the last hour.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use barkeep_database::PoolWaits;
use barkeep_queue::{BudgetVitals, Vitals};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::snapshot::Totals;
use crate::space::LONGEST;
use crate::ticked::{TICK, TickNote};
use crate::{Clock, Orchestrator, SliceJob, in_one_line, metrics};

/// How long the database may take to answer a look.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far back rules look.
const MEMORY: TimeDelta = TimeDelta::hours(1);
/// The sign of life of a process that stopped because of an error, and of one that began.
pub(crate) const STOPPED: &str = "stopped";
pub(crate) const STARTED: &str = "started";
/// That of a process that found the database full, and of one that found space again.
pub(crate) const FULL: &str = "full";
pub(crate) const FREED: &str = "freed";
/// For how long a process is taken to be waiting for space after it last said so: it tries more often than that.
const WAITS: TimeDelta = TimeDelta::seconds(3 * LONGEST.as_secs() as i64);

/// How everything is doing at one moment: what the database knows of all processes, and what this process did.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Look {
    /// When, by the database's clock; by this host's while the database does not answer.
    pub at: DateTime<Utc>,
    /// The code of the database's failure, if it did not answer: then it is not known how the slices are doing.
    pub outage: Option<&'static str>,
    /// The failure in words.
    pub outage_reason: Option<String>,
    /// The slices in the queue.
    pub slices: Vitals,
    /// The latest tick of any process.
    pub tick: Option<Tick>,
    /// The latest error that ended a process, if none has begun since; where the database knows of none, this process' own.
    pub stopped: Option<Trouble>,
    /// Why a process claims nothing, if one waits for the database to have space again.
    pub full: Option<Trouble>,
    /// What this process did.
    pub totals: Totals,
    /// How often this process waited for a connection to the database.
    pub pool_waits: PoolWaits,
    /// By how much this host's clock is ahead of the database's.
    pub clock_skew: TimeDelta,
}

/// A tick, as whoever ticked noted it down.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Tick {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub holder: String,
    /// What came of it.
    pub note: TickNote,
}

/// An error that made further work pointless.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trouble {
    /// The stable code.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

impl Look {
    /// Looks, whether or not the database answers.
    pub(crate) async fn now(orchestrator: &Orchestrator) -> Self {
        let totals = orchestrator.progress().totals();
        let (asked_at, asked) = (Clock::host_now(), Instant::now());
        let watch = &orchestrator.backend().watch;
        let vitals = timeout(PATIENCE, watch.vitals(SliceJob::KIND)).await;
        let pool_waits = watch.pool_waits();
        // What ended this process may have been what kept it from saying so to the others.
        let stopped_here = orchestrator.watching().stopped();
        match vitals {
            Ok(Ok(slices)) => Self {
                at: slices.now,
                clock_skew: asked_at + asked.elapsed() / 2 - slices.now,
                tick: tick(&slices),
                stopped: stopped(&slices).or(stopped_here),
                full: full(&slices),
                outage: None,
                outage_reason: None,
                slices,
                totals,
                pool_waits,
            },
            Ok(Err(error)) => {
                let (outage, outage_reason) = (Some(error.code()), Some(in_one_line(&error)));
                let stopped = stopped_here;
                Self { at: asked_at, outage, outage_reason, stopped, totals, pool_waits, ..Self::default() }
            }
            Err(_) => {
                let (outage, stopped) = (Some("DATABASE_TIMEOUT"), stopped_here);
                Self { at: asked_at, outage, stopped, totals, pool_waits, ..Self::default() }
            }
        }
    }

    /// How long the slice waits that could be claimed and waits longest; zero if none waits.
    pub fn oldest_runnable(&self) -> Duration {
        self.since(self.slices.oldest_ready_at)
    }

    /// How long the slice runs that runs longest; zero if none runs.
    pub fn oldest_running(&self) -> Duration {
        self.since(self.slices.oldest_started_at)
    }

    fn since(&self, instant: Option<DateTime<Utc>>) -> Duration {
        instant.and_then(|instant| (self.at - instant).to_std().ok()).unwrap_or_default()
    }
}

fn tick(slices: &Vitals) -> Option<Tick> {
    let beat = slices.beat(TICK)?;
    // A note of another version says at least that there was a tick.
    let note = TickNote::deserialize(&beat.note).unwrap_or_default();
    Some(Tick { at: beat.at, holder: beat.holder.clone(), note })
}

fn stopped(slices: &Vitals) -> Option<Trouble> {
    let beat = slices.beat(STOPPED)?;
    let is_over = slices.beat(STARTED).is_some_and(|started| started.at > beat.at);
    if is_over { None } else { Trouble::deserialize(&beat.note).ok() }
}

fn full(slices: &Vitals) -> Option<Trouble> {
    let beat = slices.beat(FULL).filter(|beat| slices.now - beat.at < WAITS)?;
    let is_over = slices.beat(FREED).is_some_and(|freed| freed.at > beat.at);
    if is_over { None } else { Trouble::deserialize(&beat.note).ok() }
}

/// What was seen over the last hour, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    looks: VecDeque<Look>,
}

impl History {
    pub(crate) fn add(&mut self, look: Look) {
        let oldest = look.at - MEMORY;
        // One from before the hour stays, so that the whole hour is known.
        while self.looks.get(1).is_some_and(|second| second.at < oldest) {
            self.looks.pop_front();
        }
        self.looks.push_back(look);
    }

    pub(crate) fn latest(&self) -> Option<&Look> {
        self.looks.back()
    }

    /// The looks of the last `time`, if it is known that long; those without an answer are left out.
    pub(crate) fn last(&self, time: Duration) -> Option<Vec<&Look>> {
        let from = self.latest()?.at - time;
        let begin = self.looks.iter().rposition(|look| look.at <= from)?;
        Some(self.looks.range(begin..).filter(|look| look.outage.is_none()).collect())
    }

    /// What is known of the last `time`, or as much of it as there is.
    pub(crate) fn recent(&self, time: Duration) -> Vec<&Look> {
        let Some(latest) = self.latest() else { return Vec::new() };
        let from = latest.at - time;
        self.looks.iter().filter(|look| look.at >= from && look.outage.is_none()).collect()
    }

    /// How often this process waited for connections within the last `time`; also while it got no answer.
    pub(crate) fn pool_waits(&self, time: Duration) -> Option<(u64, u64)> {
        let latest = self.latest()?;
        let from = latest.at - time;
        let first = self.looks.iter().find(|look| look.at >= from)?.pool_waits;
        let now = latest.pool_waits;
        Some((now.asked.checked_sub(first.asked)?, now.long.checked_sub(first.long)?))
    }

    /// The share of each budget that was used within the last `time`.
    pub(crate) fn budgets_used(&self, time: Duration) -> Vec<(String, f64)> {
        let Some(looks) = self.last(time) else { return Vec::new() };
        let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return Vec::new() };
        let used = |now: &BudgetVitals| {
            let before = first.slices.budgets.iter().find(|budget| budget.name == now.name)?;
            // A day that began in between starts from nothing.
            let spent = now.spent_today.checked_sub(before.spent_today)?;
            let elapsed_us = (last.at - first.at).num_microseconds().filter(|elapsed| *elapsed > 0)?;
            Some((now.name.clone(), spent as f64 * now.interval_us as f64 / elapsed_us as f64))
        };
        last.slices.budgets.iter().filter_map(used).collect()
    }

    /// Requests a minute over the last `time`: those of every process where a budget counts them, else of this one.
    pub(crate) fn requests_a_minute(&self, time: Duration) -> Option<f64> {
        let looks = self.recent(time);
        let (first, last) = (looks.first()?, looks.last()?);
        let minutes = (last.at - first.at).as_seconds_f64() / 60.0;
        let spent = |look: &Look| look.slices.budgets.iter().map(|budget| budget.spent_today).sum::<u64>();
        let requests = match last.slices.budgets.is_empty() {
            true => last.totals.requests.checked_sub(first.totals.requests)?,
            false => spent(last).checked_sub(spent(first))?,
        };
        (minutes > 0.0).then(|| requests as f64 / minutes)
    }
}

/// Looks, unless somebody looked just now, and shows what was seen.
pub(crate) async fn look(orchestrator: &Orchestrator) -> Look {
    let watching = orchestrator.watching();
    // Held while looking, so that many who ask at once cost one statement.
    let mut looked_at = watching.looked_at.lock().await;
    let fresh = orchestrator.settings().look_every / 3;
    if looked_at.is_some_and(|at| at.elapsed() < fresh)
        && let Some(look) = watching.history().latest()
    {
        return look.clone();
    }
    let look = Look::now(orchestrator).await;
    *looked_at = Some(Instant::now());
    metrics::looked(&look);
    let mut history = watching.history();
    history.add(look.clone());
    for (budget, ratio) in history.budgets_used(Duration::from_secs(300)) {
        metrics::budget_used(&budget, ratio);
    }
    look
}
