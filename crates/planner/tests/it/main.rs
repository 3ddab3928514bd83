//! What the planner promises, tried on made-up universes.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]
#![expect(clippy::single_range_in_vec_init, reason = "a list of one run is meant")]

mod bad_input;
mod balance;
mod gaps;
mod hostile;
mod plan;
mod universe;
