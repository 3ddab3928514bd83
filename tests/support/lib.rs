//! What the tests of the whole share: a simulated market with a known truth, a backend on either database, and the
//! example as a child process.

mod checker;
mod child;
mod disk;
mod faketime;
mod hold;
mod proxy;
mod scene;
mod vendor;

pub use checker::check;
pub use child::{Child, Outcome};
pub use disk::Disk;
pub use faketime::clock_ahead_by;
pub use hold::{Hold, Write};
pub use proxy::{COMMIT, COPY_DATA, Cut, Proxy};
pub use scene::{Kind, Scene, bars_of, everything, provider};
pub use vendor::{CANARIES, Vendor};

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
