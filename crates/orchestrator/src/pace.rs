use std::collections::VecDeque;
use std::time::Duration;

/// How far apart samples are, and how many there are: the last minute.
const APART: Duration = Duration::from_secs(1);
const SAMPLES: usize = 60;

/// How many requests there were when, over the last minute of work.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    samples: VecDeque<(Duration, u64)>,
}

impl Paces {
    /// Takes down how many requests there were after `elapsed`.
    pub(crate) fn add(&mut self, elapsed: Duration, requests: u64) {
        if self.samples.back().is_some_and(|(last, _)| elapsed < *last + APART) {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((elapsed, requests));
    }

    /// The slowest and the fastest pace among those over all the time, over the last minute, and over its last quarter.
    pub(crate) fn range(&self, elapsed: Duration, requests: u64) -> Option<(f64, f64)> {
        let pace = |(since, before): (Duration, u64)| {
            let seconds = elapsed.saturating_sub(since).as_secs_f64();
            (seconds > 0.5 && requests > before).then(|| (requests - before) as f64 / seconds)
        };
        let quarter = self.samples.get(self.samples.len() * 3 / 4).copied();
        let spans = [Some((Duration::ZERO, 0)), self.samples.front().copied(), quarter];
        let paces = spans.into_iter().flatten().filter_map(pace);
        paces.map(|pace| (pace, pace)).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_that_changes_is_a_range_and_one_that_does_not_is_a_point() {
        let mut paces = Paces::default();
        assert_eq!(paces.range(Duration::ZERO, 0), None);
        for second in 0..=40 {
            paces.add(Duration::from_secs(second), 2 * second);
        }
        assert_eq!(paces.range(Duration::from_secs(40), 80), Some((2.0, 2.0)));
        for second in 41..=80 {
            paces.add(Duration::from_secs(second), 80 + 10 * (second - 40));
        }
        let (slowest, fastest) = paces.range(Duration::from_secs(80), 480).unwrap();
        assert_eq!((slowest, fastest), (6.0, 10.0));
        assert!(paces.samples.len() <= SAMPLES);
    }
}
