//! The request limit of a plan, and how the vendor reports it.

use std::collections::{HashMap, VecDeque};

use crate::answer::Answer;

const MINUTE: i64 = 60_000;

/// How the vendor's minute passes, which is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LimitWindow {
    /// Any 60 seconds hold no more than the limit: what a client keeps to that is safe under every other rule.
    #[default]
    Sliding,
    /// The minute starts with its first request, and the whole quota comes back at its end.
    Fixed,
}

/// The requests of the last minute, by key. Times in Unix milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    window: LimitWindow,
    served: HashMap<String, VecDeque<i64>>,
}

/// What a caller is told of its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) allowed: bool,
    limit: u32,
    remaining: u32,
    /// Unix seconds at which the remaining quota changes.
    reset: i64,
}

impl Limiter {
    pub(crate) fn new(window: LimitWindow) -> Self {
        Self { window, served: HashMap::new() }
    }

    /// Counts a request in, if the limit allows it; a refused request costs nothing.
    pub(crate) fn request(&mut self, key: &str, limit: u32, now: i64) -> Quota {
        let served = self.served.entry(key.to_owned()).or_default();
        match self.window {
            LimitWindow::Sliding => {
                while served.front().is_some_and(|first| first + MINUTE <= now) {
                    served.pop_front();
                }
            }
            LimitWindow::Fixed => {
                if served.front().is_some_and(|first| first + MINUTE <= now) {
                    served.clear();
                }
            }
        }
        let limit_reached = served.len() >= limit as usize;
        if !limit_reached {
            served.push_back(now);
        }
        let reset = served.front().map_or(now, |first| first + MINUTE);
        let used = u32::try_from(served.len()).unwrap_or(u32::MAX);
        Quota { allowed: !limit_reached, limit, remaining: limit - used.min(limit), reset: (reset + 999) / 1000 }
    }
}

impl Quota {
    /// The seconds until the quota changes.
    pub(crate) fn wait(&self, now: i64) -> i64 {
        (self.reset - now.div_euclid(1000)).max(0)
    }

    pub(crate) fn tell(&self, answer: Answer) -> Answer {
        answer
            .with_header("X-RateLimit-Limit", self.limit)
            .with_header("X-RateLimit-Remaining", self.remaining)
            .with_header("X-RateLimit-Reset", self.reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(limiter: &mut Limiter, times: &[i64]) -> Vec<bool> {
        times.iter().map(|now| limiter.request("key", 2, *now).allowed).collect()
    }

    #[test]
    fn a_sliding_minute_gives_each_request_back_after_a_minute() {
        let mut limiter = Limiter::new(LimitWindow::Sliding);
        let times = [0, 30_000, 59_999, 60_000, 60_001, 90_000];
        assert_eq!(allowed(&mut limiter, &times), [true, true, false, true, false, true]);
    }

    #[test]
    fn a_fixed_minute_gives_all_back_at_its_end() {
        let mut limiter = Limiter::new(LimitWindow::Fixed);
        let times = [0, 59_000, 59_999, 60_000, 60_001, 60_002];
        assert_eq!(allowed(&mut limiter, &times), [true, true, false, true, true, false]);
    }

    #[test]
    fn each_key_has_its_own_quota() {
        let mut limiter = Limiter::new(LimitWindow::Sliding);
        assert!(limiter.request("a", 1, 0).allowed);
        assert!(!limiter.request("a", 1, 0).allowed);
        assert!(limiter.request("b", 1, 0).allowed);
    }

    #[test]
    fn a_caller_is_told_when_the_quota_changes() {
        let mut limiter = Limiter::new(LimitWindow::Sliding);
        let quota = limiter.request("key", 2, 1_500);
        assert_eq!((quota.remaining, quota.reset), (1, 62));
    }
}
