use std::time::Duration;

/// From when on the rules of [`Health`](crate::Health) find something wrong. Every threshold has a default that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// Slices wait and none was done for so long: 10 minutes.
    pub stalled_after: Duration,
    /// So many ticks were left out: 3.
    pub ticks_missed: u32,
    /// A slice runs for so long: 10 minutes. A slice of many pages under a low request limit may take longer.
    pub stuck_after: Duration,
    /// So many workers died within [`stuck_after`](Self::stuck_after): 3.
    pub crashes: u64,
    /// A slice waits for a worker for so long: an hour.
    pub waits_after: Duration,
    /// So many slices wait: 50 ...
    pub deep: u64,
    /// ... and have not become fewer for so long: 15 minutes.
    pub deep_after: Duration,
    /// The newest bars are behind by more than so many bars: 2 ...
    pub lag_bars: u32,
    /// ... and have not caught up for so long: 30 minutes.
    pub lag_after: Duration,
    /// More than so many in a thousand of the due bars went missing: 10.
    pub regressed_per_thousand: u64,
    /// More than so many in a thousand of the slices that ended have failed: 100 ...
    pub failed_per_thousand: u64,
    /// ... within so long: 15 minutes ...
    pub failed_within: Duration,
    /// ... of at least so many: 20.
    pub failed_of: u64,
    /// More than so many in a thousand of a request limit are used: 950 ...
    pub saturated_per_thousand: u64,
    /// ... for so long: 30 minutes.
    pub saturated_after: Duration,
    /// More than so many in a thousand of the requests were refused as too many: 10, within 10 minutes.
    pub limited_per_thousand: u64,
    /// More than so many in a thousand of the bars were impossible: 1, within 15 minutes.
    pub invalid_per_thousand: u64,
    /// More than so many in a thousand of the waits for a connection to the database took longer than a second: 50, so that
    /// the 95th percentile did ...
    pub pool_waits_per_thousand: u64,
    /// ... and at least so many: 5 ...
    pub pool_waits_long: u64,
    /// ... within so long: 5 minutes.
    pub pool_waits_within: Duration,
    /// The clocks of this host and of the database differ by more than this: 5 s.
    pub clock_skew: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            stalled_after: minutes(10),
            ticks_missed: 3,
            stuck_after: minutes(10),
            crashes: 3,
            waits_after: minutes(60),
            deep: 50,
            deep_after: minutes(15),
            lag_bars: 2,
            lag_after: minutes(30),
            regressed_per_thousand: 10,
            failed_per_thousand: 100,
            failed_within: minutes(15),
            failed_of: 20,
            saturated_per_thousand: 950,
            saturated_after: minutes(30),
            limited_per_thousand: 10,
            invalid_per_thousand: 1,
            pool_waits_per_thousand: 50,
            pool_waits_long: 5,
            pool_waits_within: minutes(5),
            clock_skew: Duration::from_secs(5),
        }
    }
}
