#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adjustment;
mod bar;
mod coverage;
mod feed;
mod grid;
mod hours;
mod range;
mod series;
mod session;
mod symbol;
mod text;
mod timeframe;

pub use adjustment::{Adjustment, InvalidAdjustment};
pub use bar::{Bar, BarFault, BarFaults};
pub use coverage::Coverage;
pub use feed::{Feed, InvalidFeed};
pub use grid::Grid;
pub use hours::{Hours, InvalidHours};
pub use range::{EmptyRange, TimeRange};
pub use series::Series;
pub use session::{InvalidSession, Session};
pub use symbol::{InvalidSymbol, Symbol};
pub use timeframe::{InvalidTimeframe, Timeframe};
