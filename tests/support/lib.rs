//! What the tests of the whole share: a simulated market with a known truth, a backend on either database, and the
//! example as a child process.

mod child;
mod scene;

pub use child::{Child, Outcome};
pub use scene::{Kind, Scene, bars_of, everything, provider};

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
