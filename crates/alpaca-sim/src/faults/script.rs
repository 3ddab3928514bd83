//! Which request a fault hits.

use crate::faults::Fault;
use crate::market::Noise;

/// A fault, and the requests it hits: once, the next request for bars, unless said otherwise.
///
/// ```
/// use barkeep_alpaca_sim::{AnswerFault, Injection, WireFault};
///
/// // The second and third page that someone asks for.
/// let unavailable = Injection::of(AnswerFault::Status(503)).when("page_token=").times(2);
/// // Every request that names MSFT, for ever.
/// let reset = Injection::of(WireFault::Reset).when("MSFT").times(usize::MAX);
/// ```
#[derive(Clone, Debug)]
#[must_use = "an injection does nothing until it is given to a simulator"]
pub struct Injection {
    fault: Fault,
    pattern: Option<String>,
    skip: usize,
    times: usize,
}

impl Injection {
    /// Hits the next request for bars, once.
    pub fn of(fault: impl Into<Fault>) -> Self {
        Self { fault: fault.into(), pattern: None, skip: 0, times: 1 }
    }

    /// Hits only requests, to whatever endpoint, whose path and query contain a text, as it was sent.
    pub fn when(self, pattern: impl Into<String>) -> Self {
        Self { pattern: Some(pattern.into()), ..self }
    }

    /// Lets so many of the requests that it would hit pass first.
    pub fn after(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Hits so many requests.
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    fn hits(&mut self, target: &str, is_bars: bool) -> bool {
        let meant = self.pattern.as_ref().map_or(is_bars, |pattern| target.contains(pattern.as_str()));
        if !meant || self.times == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

impl<F: Into<Fault>> From<F> for Injection {
    fn from(fault: F) -> Self {
        Self::of(fault)
    }
}

/// All faults to come.
#[derive(Debug, Default)]
pub(crate) struct Script {
    injections: Vec<Injection>,
    chaos: Option<Chaos>,
}

/// Faults at random, the same ones for the same seed.
#[derive(Debug)]
struct Chaos {
    noise: Noise,
    share: f64,
    faults: Vec<Fault>,
    requests: i64,
}

impl Script {
    pub(crate) fn add(&mut self, injection: Injection) {
        self.injections.push(injection);
    }

    pub(crate) fn add_at_random(&mut self, seed: u64, share: f64, faults: Vec<Fault>) {
        self.chaos = Some(Chaos { noise: Noise::new(seed), share, faults, requests: 0 });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault that hits a request: the first one scripted, or else one at random.
    pub(crate) fn hit(&mut self, target: &str, is_bars: bool) -> Option<Fault> {
        let scripted = self
            .injections
            .iter_mut()
            .find_map(|injection| injection.hits(target, is_bars).then(|| injection.fault.clone()));
        scripted.or_else(|| self.chaos.as_mut().filter(|_| is_bars)?.hit())
    }
}

impl Chaos {
    fn hit(&mut self) -> Option<Fault> {
        let noise = self.noise.at(self.requests);
        self.requests += 1;
        if noise.unit() >= self.share || self.faults.is_empty() {
            return None;
        }
        let place = noise.at(1).unit() * self.faults.len() as f64;
        self.faults.get(place as usize).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::AnswerFault;

    fn hits(script: &mut Script, targets: &[&str]) -> Vec<bool> {
        targets.iter().map(|target| script.hit(target, true).is_some()).collect()
    }

    #[test]
    fn a_fault_hits_the_next_request_for_bars_once() {
        let mut script = Script::default();
        script.add(AnswerFault::Status(500).into());
        assert_eq!(script.hit("/v2/calendar", false), None);
        assert_eq!(hits(&mut script, &["/a", "/b"]), [true, false]);
    }

    #[test]
    fn a_fault_can_wait_be_choosy_and_last() {
        let mut script = Script::default();
        script.add(Injection::of(AnswerFault::Status(500)).when("b").after(1).times(2));
        assert_eq!(hits(&mut script, &["/b", "/a", "/b", "/b", "/b"]), [false, false, true, true, false]);
        script.add(AnswerFault::Status(500).into());
        script.clear();
        assert_eq!(hits(&mut script, &["/a"]), [false]);
    }

    #[test]
    fn random_faults_hit_their_share_and_are_the_same_again() {
        let run = || {
            let mut script = Script::default();
            script.add_at_random(7, 0.1, Fault::transient());
            (0..2000).map(|_| script.hit("/", true)).collect::<Vec<_>>()
        };
        let faults = run();
        assert_eq!(faults, run());
        let hit = faults.iter().flatten().count();
        assert!((150..250).contains(&hit), "{hit}");
        assert!(Fault::transient().iter().all(|fault| faults.contains(&Some(fault.clone()))));
    }
}
