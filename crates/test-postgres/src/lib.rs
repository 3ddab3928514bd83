#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod binaries;
mod database;
mod folder;
mod pooler;
mod server;
mod shared;

pub use binaries::program;
pub use database::TestDatabase;
pub use pooler::Pooler;
pub use server::{Server, Stop};
