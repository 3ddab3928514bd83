//! The queue on real databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod budget;
mod crash;
mod fence;
mod model;
mod postgres;
mod processes;
mod roles;
mod sqlite;
mod tally;
mod worker;
