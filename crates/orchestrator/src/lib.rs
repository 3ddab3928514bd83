#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod backfill;
mod budgeted;
mod clock;
mod costs;
mod crew;
mod error;
mod fetch_slice;
mod forecast;
mod health;
mod look;
mod measured;
pub mod metrics;
mod notify;
mod orchestrator;
mod pace;
mod plan;
mod progress;
mod remaining;
mod run;
mod self_check;
mod settings;
mod signals;
mod slice_job;
mod snapshot;
mod standing;
mod status;
mod taken;
mod thresholds;
mod tick;
mod ticked;
mod watching;
mod work;

pub use backend::Backend;
pub use backfill::BackfillReport;
pub use budgeted::Budgeted;
pub use clock::Clock;
pub use costs::{CostLine, Costs, SliceCost};
pub use error::{Error, Result, in_one_line};
pub use forecast::{Forecast, ForecastLine};
pub use health::{Health, HealthStatus, Rule};
pub use look::{Look, Tick, Trouble};
pub use measured::Measured;
pub use orchestrator::Orchestrator;
pub use progress::{ProgressEvent, Unfilled};
pub use settings::Settings;
pub use signals::stop_on_signals;
pub use slice_job::SliceJob;
pub use snapshot::{Snapshot, Totals};
pub use standing::Standing;
pub use status::Status;
pub use thresholds::Thresholds;
pub use tick::{Idle, TickReport};
pub use ticked::TickNote;

#[cfg(feature = "alpaca")]
pub use barkeep_alpaca as alpaca;
pub use barkeep_calendar as calendar;
pub use barkeep_catalog as catalog;
pub use barkeep_database as database;
pub use barkeep_notify as notifications;
pub use barkeep_planner as planner;
pub use barkeep_provider as provider;
pub use barkeep_queue as queue;
pub use barkeep_store as store;
pub use barkeep_types as types;
