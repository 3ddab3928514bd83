use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use barkeep_database::PoolWaits;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::{Counts, Result};

/// Watching a queue all the time: whether it moves, and whether those who move it are alive.
#[async_trait]
pub trait Watch: Debug + Send + Sync + 'static {
    /// How the jobs of a kind are doing: one statement, whose time does not grow with what has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn vitals(&self, kind: &str) -> Result<Vitals>;

    /// Says that `holder` has done just now what `name` stands for, and what came of it: seen in
    /// [`Vitals::beats`] by every process, and by people in the view `beats_v1`. The latest one stays.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a name or holder that is empty or longer than 128 bytes, or a note
    /// above 1 MiB; [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn beat(&self, name: &str, holder: &str, note: &Value) -> Result<()>;

    /// What jobs cost that succeeded since `since`, and what that was expected to be: the `expected_cost` of their results,
    /// where those are objects with such a number. By day and group, in this order; of what the history still holds.
    ///
    /// # Errors
    ///
    /// [`Error::Database`](crate::Error::Database) if the database could not answer.
    async fn spent(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<Spent>>;

    /// How often this process waited for a connection to the queue's database, whatever for; never, where there is none.
    fn pool_waits(&self) -> PoolWaits {
        PoolWaits::default()
    }
}

/// How the jobs of a kind are doing, over all processes, by the database's clock.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Vitals {
    /// When this was so.
    pub now: DateTime<Utc>,
    /// How many are in which state.
    pub counts: Counts,
    /// Of those that wait for a worker, how many are held by a pause.
    pub paused: u64,
    /// How many workers are alive, whatever they work on.
    pub workers: u64,
    /// How many leases have run out and were not taken back yet.
    pub lapsed: u64,
    /// How often workers died with the jobs that are live now.
    pub crashes: u64,
    /// Since when the oldest job waits that is due and that no pause holds.
    pub oldest_ready_at: Option<DateTime<Utc>>,
    /// Since when the job that runs longest runs.
    pub oldest_started_at: Option<DateTime<Utc>>,
    /// How many failed for good within the last hour, by code.
    pub failures: BTreeMap<String, u64>,
    /// Every budget.
    pub budgets: Vec<BudgetVitals>,
    /// The latest sign of life of each name.
    pub beats: Vec<Beat>,
}

/// What a budget has handed out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct BudgetVitals {
    /// Its name.
    pub name: String,
    /// The time between two tokens at the steady pace, in microseconds.
    pub interval_us: u64,
    /// Tokens handed out today (UTC).
    pub spent_today: u64,
    /// Whether nothing is handed out for now, because the provider said so.
    pub is_blocked: bool,
}

/// What the jobs of a group cost that succeeded on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// The day (UTC).
    pub day: NaiveDate,
    /// Their group, if they had one.
    pub group: Option<String>,
    /// How many there were.
    pub jobs: u64,
    /// What they cost.
    pub cost: u64,
    /// What they were expected to cost.
    pub expected_cost: u64,
}

/// A sign of life.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Beat {
    /// Of what.
    pub name: String,
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// Who gave it.
    pub holder: String,
    /// What came of it.
    pub note: Value,
}

impl Vitals {
    /// The latest sign of life of a name, if there was one.
    pub fn beat(&self, name: &str) -> Option<&Beat> {
        self.beats.iter().find(|beat| beat.name == name)
    }

    /// How many jobs are due and held by no pause.
    pub fn runnable(&self) -> u64 {
        self.counts.ready.saturating_sub(self.paused)
    }
}
