//! Exports of a store, in whatever shape.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod incremental;
#[cfg(feature = "object-store")]
mod objects;
mod parquet;
mod paths;
mod streams;
mod support;
