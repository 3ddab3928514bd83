#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod aggregate;
mod answer;
mod bars;
mod candle;
mod clock;
mod corporate_actions;
mod counters;
mod days;
mod error;
mod faults;
mod kept;
mod keys;
mod limiter;
mod manner;
mod market;
mod options;
mod page;
mod plan;
mod query;
mod routes;
mod server;
mod shared;
mod span;
mod stamp;
mod token;
mod trading;
mod wire;
mod zone;

pub use counters::Requests;
pub use error::Error;
pub use faults::{AnswerFault, Fault, Injection, NumberFault, PageFault, RetryAfter, WireFault};
pub use limiter::LimitWindow;
pub use manner::Manner;
pub use market::{Listing, Market, RecordedSeries};
pub use options::{DefaultFeed, Options};
pub use plan::{InvalidPlan, Plan};
pub use server::AlpacaSim;
