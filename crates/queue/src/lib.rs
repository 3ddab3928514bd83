#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    allow(dead_code, unreachable_pub, unused_imports, reason = "what is stored, and its rules, wait for a database")
)]

mod backoff;
mod bell;
mod blocker;
mod budget;
mod caps;
mod check;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod control;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database_queue;
mod ending;
mod error;
mod fence;
mod floor;
mod inspect;
mod job;
mod lease;
mod locks;
#[cfg(any(test, feature = "conformance"))]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod presence;
mod purse;
mod queue;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod statements;
mod upkeep;
mod watch;
mod worker;

pub use backoff::Backoff;
pub use bell::Bell;
pub use blocker::{Blocker, Outlook};
pub use budget::{Block, BudgetState, Budgets, Grant, Rate};
pub use caps::{Cap, Scope};
pub use check::MAX_JSON_BYTES;
pub use control::{Cancelled, Control, Pause, Select};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use database_queue::DatabaseQueue;
pub use ending::{Completion, Failure, Reaped, Release, Spending, Then, Verdict};
pub use error::{Error, Result};
pub use fence::Fence;
pub use inspect::{Attempt, Counts, FinishedJob, Inspect, LedgerLine, LiveJob, LiveState, Outcome};
pub use job::{JobId, NewJob, Start};
pub use lease::{Claim, Extension, Lease, LeaseKey, Token};
pub use locks::{Lock, Locks};
#[cfg(any(test, feature = "conformance"))]
pub use memory::MemoryQueue;
#[cfg(feature = "postgres")]
pub use postgres::{Listening, PostgresQueue};
pub use presence::{Presence, WorkerId, WorkerState};
pub use purse::Purse;
pub use queue::Queue;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteQueue;
pub use upkeep::Upkeep;
pub use watch::{Beat, BudgetVitals, Spent, Vitals, Watch};
pub use worker::{Ending, Job, StopReason, Work, Worked, Worker};
