#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod assets;
mod client;
mod corporate_actions;
mod credentials;
mod endpoint;
mod error;
mod headers;
mod http;
mod query;
mod reference;
mod refusal;
mod server;
mod sessions;
mod unpack;
mod wire;

pub use assets::{Asset, AssetClass};
pub use client::{Alpaca, Plan};
pub use corporate_actions::{ActionKind, CorporateAction};
pub use credentials::Credentials;
pub use error::ConfigError;
pub use http::Timeouts;
pub use wire::read_page;
