//! The simulator as a client sees it: over a real socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bars;
mod endpoints;
mod faults;
mod http;
mod kept;
mod paging;
#[cfg(feature = "program")]
mod program;
mod recorded;
mod server;
#[cfg(feature = "parquet")]
mod tables;
