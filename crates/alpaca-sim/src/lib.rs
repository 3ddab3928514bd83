#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod aggregate;
mod answer;
mod bars;
mod candle;
mod clock;
mod counters;
mod days;
mod error;
mod limiter;
mod market;
mod options;
mod page;
mod plan;
mod query;
mod routes;
mod server;
mod span;
mod stamp;
mod token;
mod wire;

pub use counters::Requests;
pub use error::Error;
pub use limiter::LimitWindow;
pub use market::{Listing, Market};
pub use options::{DefaultFeed, Options};
pub use plan::{InvalidPlan, Plan};
pub use server::AlpacaSim;
