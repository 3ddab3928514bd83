#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod batches;
mod destination;
mod error;
mod export;
mod file;
mod folder;
mod format;
mod hex;
mod ipc;
mod manifest;
#[cfg(feature = "object-store")]
mod objects;
mod partition;
mod text;
mod traces;

pub use arrow_array;
pub use arrow_schema;
pub use batches::{batches, schema};
pub use destination::Destination;
pub use error::{Error, Result};
pub use export::{Export, Exported};
pub use file::parquet_file;
pub use format::{Format, InvalidNumber, Number};
pub use ipc::write_ipc;
pub use manifest::{Entry, Manifest};
#[cfg(feature = "object-store")]
pub use object_store;
pub use partition::Partition;
pub use text::write_csv;
pub use traces::Trace;
