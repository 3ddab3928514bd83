#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod ending;
mod error;
mod inspect;
mod job;
mod lease;
mod locks;
mod queue;

pub use backoff::Backoff;
pub use ending::{Completion, Failure, Reaped, Then, Verdict};
pub use error::{Error, Result};
pub use inspect::{Counts, FinishedJob, Inspect, LiveJob, LiveState, Outcome};
pub use job::{JobId, NewJob, Start};
pub use lease::{Claim, Extension, Lease, LeaseKey, Token};
pub use locks::{Lock, Locks};
pub use queue::Queue;
