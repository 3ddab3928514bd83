use std::time::Duration;

use barkeep_types::{Symbol, TimeRange};

/// Requests that bring what is missing, and what they will cost.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Plan {
    /// The slices, earliest first; no two share a symbol and an instant.
    pub slices: Vec<Slice>,
    /// What the slices cost together.
    pub estimate: Estimate,
}

/// One request and its pages: these symbols over this range.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The symbols, in order of their bytes, as vendors page.
    pub symbols: Vec<Symbol>,
    /// The time asked for.
    pub range: TimeRange,
    /// The bars expected, over all symbols and including those that are already there.
    pub bars: u64,
    /// The pages expected; at least 1.
    pub requests: u64,
}

/// What a plan costs. Bars and requests are expected values: they rest on the densities that the planner was given.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Estimate {
    /// The series that lack something.
    pub series: u64,
    /// The runs of missing bar slots, over all series.
    pub gaps: u64,
    /// The missing bar slots.
    pub missing_slots: u64,
    /// The bar slots asked for although they are covered, because that saves requests.
    pub refetched_slots: u64,
    /// The pages of all slices.
    pub requests: u64,
    /// No plan can take fewer: the missing bars or their source, by the page; and the symbols, by the request.
    pub least_requests: u64,
    /// The bars that will be sent.
    pub bars: u64,
    /// What the answers weigh before compression.
    pub bytes: u64,
    /// How long it takes at the planner's request limit; zero without one.
    pub duration: Duration,
}
