#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod backfill;
mod budgeted;
mod clock;
mod crew;
mod error;
mod fetch_slice;
mod orchestrator;
mod plan;
mod progress;
mod remaining;
mod run;
mod settings;
mod signals;
mod slice_job;
mod snapshot;
mod status;
mod taken;
mod tick;
mod work;

pub use backend::Backend;
pub use backfill::BackfillReport;
pub use budgeted::Budgeted;
pub use clock::Clock;
pub use error::{Error, Result, in_one_line};
pub use orchestrator::Orchestrator;
pub use progress::{ProgressEvent, Unfilled};
pub use settings::Settings;
pub use signals::stop_on_signals;
pub use slice_job::SliceJob;
pub use snapshot::{Snapshot, Totals};
pub use status::Status;
pub use tick::{Idle, TickReport};

#[cfg(feature = "alpaca")]
pub use barkeep_alpaca as alpaca;
pub use barkeep_calendar as calendar;
pub use barkeep_catalog as catalog;
pub use barkeep_database as database;
pub use barkeep_planner as planner;
pub use barkeep_provider as provider;
pub use barkeep_queue as queue;
pub use barkeep_store as store;
pub use barkeep_types as types;
