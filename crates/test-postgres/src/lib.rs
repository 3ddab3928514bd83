#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod binaries;
mod database;
mod server;
mod shared;

pub use database::TestDatabase;
pub use server::{Server, Stop};
