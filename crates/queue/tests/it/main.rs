//! The queue on real databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod budget;
mod crash;
mod crowd;
mod fence;
mod guarantees;
mod long_history;
mod model;
mod operating;
mod pooled;
mod postgres;
mod processes;
mod protocol;
mod roles;
mod rules;
mod sessions;
mod sqlite;
mod tally;
mod traps;
mod turns;
mod upgrade;
mod waking;
mod worker;
