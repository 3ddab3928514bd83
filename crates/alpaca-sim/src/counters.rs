//! What was asked of the simulator.

use std::collections::VecDeque;

/// How many requests the simulator has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Requests {
    /// All of them, whatever became of them.
    pub total: u64,
    /// Pages of bars served: stocks and crypto, faults not counted.
    pub bars: u64,
    /// Answered with a fault.
    pub faults: u64,
    /// Refused for being too many.
    pub limited: u64,
    /// The most requests in any 60 seconds, refused ones included.
    pub peak_minute: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: Requests,
    /// Path and query of every page of bars, in order.
    pub(crate) served: Vec<String>,
    minute: VecDeque<i64>,
}

impl Counters {
    /// Counts a request in, at Unix milliseconds, and gives its number.
    pub(crate) fn arrived(&mut self, now: i64) -> u64 {
        self.requests.total += 1;
        self.minute.push_back(now);
        while self.minute.front().is_some_and(|first| first + 60_000 <= now) {
            self.minute.pop_front();
        }
        self.requests.peak_minute = self.requests.peak_minute.max(self.minute.len() as u64);
        self.requests.total
    }

    pub(crate) fn page_served(&mut self, target: String) {
        self.requests.bars += 1;
        self.served.push(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_of_any_sixty_seconds() {
        let mut counters = Counters::default();
        for now in [0, 50_000, 59_999, 60_000, 200_000] {
            counters.arrived(now);
        }
        assert_eq!(counters.requests.peak_minute, 3);
    }
}
