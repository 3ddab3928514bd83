#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod credentials;
mod endpoint;
mod error;
mod headers;
mod http;
mod query;
mod refusal;
mod wire;

pub use client::{Alpaca, Plan};
pub use credentials::Credentials;
pub use error::ConfigError;
pub use http::Timeouts;
