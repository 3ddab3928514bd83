#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod explain;
mod gaps;
mod lifts;
mod limits;
mod load;
mod locate;
mod missing;
mod model;
mod pack;
mod plan;
mod planner;
mod rows;
mod series_slots;
mod tile;
mod windows;

pub use explain::{Explanation, Reason, explain};
pub use gaps::{gaps, gaps_of_each};
pub use model::{Density, PageModel};
pub use plan::{Estimate, Plan, Slice};
pub use planner::{Planner, SeriesState};
pub use series_slots::{SeriesSlots, Slots};
