//! Whose turn it is among a worker's kinds.

use std::time::Duration;

use tokio::time::Instant;

/// The kinds take turns; one that had no job is asked last for a while, so that it costs those that have some no claims.
#[derive(Debug)]
pub(super) struct Turns {
    /// Of each kind, when it was found empty.
    empty: Vec<Option<Instant>>,
    first: usize,
    rest: Duration,
}

impl Turns {
    /// So many kinds, and for how long one is left alone that had no job.
    pub(super) fn new(kinds: usize, rest: Duration) -> Self {
        Self { empty: vec![None; kinds], first: 0, rest }
    }

    /// In which order to ask, until one has a job.
    pub(super) fn next(&mut self) -> impl Iterator<Item = usize> + use<> {
        let kinds = self.empty.len();
        let order = (self.first..self.first + kinds).map(|kind| kind % kinds);
        let (resting, awake): (Vec<usize>, Vec<usize>) = order.partition(|kind| self.is_resting(*kind));
        self.first = awake.first().map_or(self.first, |kind| kind + 1) % kinds;
        awake.into_iter().chain(resting)
    }

    /// A kind was asked, and had a job or none.
    pub(super) fn asked(&mut self, kind: usize, had_any: bool) {
        self.empty[kind] = (!had_any).then(Instant::now);
    }

    /// Jobs of any kind may have come.
    pub(super) fn wake_all(&mut self) {
        self.empty.fill(None);
    }

    fn is_resting(&self, kind: usize) -> bool {
        self.empty[kind].is_some_and(|since| since.elapsed() < self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(turns: &mut Turns) -> Vec<usize> {
        turns.next().collect()
    }

    #[test]
    fn kinds_that_have_jobs_take_turns() {
        let mut turns = Turns::new(3, Duration::from_secs(60));
        assert_eq!(order(&mut turns), [0, 1, 2]);
        assert_eq!(order(&mut turns), [1, 2, 0]);
        assert_eq!(order(&mut turns), [2, 0, 1]);
        assert_eq!(order(&mut turns), [0, 1, 2]);
    }

    #[test]
    fn an_empty_kind_is_asked_last_until_it_has_rested() {
        let mut turns = Turns::new(3, Duration::from_secs(60));
        turns.asked(0, false);
        assert_eq!(order(&mut turns), [1, 2, 0]);
        assert_eq!(order(&mut turns), [2, 1, 0]);
        turns.asked(0, true);
        assert_eq!(order(&mut turns), [0, 1, 2]);
        turns.asked(0, false);
        turns.asked(1, false);
        turns.asked(2, false);
        assert_eq!(order(&mut turns).len(), 3, "all are asked before the worker takes the queue for empty");
        turns.wake_all();
        assert_eq!(order(&mut turns), [1, 2, 0]);
        let mut restless = Turns::new(2, Duration::ZERO);
        restless.asked(0, false);
        assert_eq!(order(&mut restless), [0, 1]);
    }
}
