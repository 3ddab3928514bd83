#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod backfill;
mod batch;
mod budgeted;
mod build_slice;
mod clock;
mod crew;
mod derive;
mod dispatch;
mod ensure;
mod error;
mod fetch_slice;
mod freshness;
mod orchestrator;
mod outcome;
mod plan;
mod progress;
mod reference;
mod remaining;
mod repair;
mod rewritten;
mod run;
mod schedule;
mod settings;
mod share;
mod signals;
mod slice_job;
mod snapshot;
mod spoiled;
mod status;
mod suspicion;
mod taken;
mod tick;
mod tuning;
mod work;

pub use backend::Backend;
pub use backfill::BackfillReport;
pub use batch::{BatchReport, BatchSize};
pub use budgeted::Budgeted;
pub use clock::Clock;
pub use ensure::Ensured;
pub use error::{Error, Result, in_one_line};
pub use orchestrator::Orchestrator;
pub use progress::{ProgressEvent, Unfilled};
pub use reference::Reference;
pub use repair::{Repair, RepairReport, Wrong, WrongBar};
pub use schedule::{InvalidSchedule, Schedule};
pub use settings::Settings;
pub use signals::stop_on_signals;
pub use slice_job::{Batch, SliceJob, UnreadableSlice};
pub use snapshot::{Snapshot, Totals};
pub use status::Status;
pub use tick::{Idle, Stalled, TickReport};
pub use tuning::{Tunable, UnknownTunable};

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
