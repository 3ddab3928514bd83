use barkeep_planner::{Explanation, Reason};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::plan::Group;

/// How complete the series of one timeframe are, over the windows of their definitions.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Standing {
    /// The series looked at.
    pub series: u64,
    /// The bars that are due: those that have ended and settled.
    pub due_bars: u64,
    /// Those of them that were not fetched.
    pub missing_bars: u64,
    /// How far the newest fetched bar of the worst series is behind the newest that is due.
    pub worst_lag_seconds: u64,
    /// How far it is at most for 19 of 20 series.
    pub p95_lag_seconds: u64,
}

impl Standing {
    /// The share of the due bars that were fetched; 1 if none is due.
    pub fn ratio(&self) -> f64 {
        match self.due_bars {
            0 => 1.0,
            due => 1.0 - self.missing_bars as f64 / due as f64,
        }
    }

    /// Takes in another definition's series of the same timeframe: the worse lag counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.series += other.series;
        self.due_bars += other.due_bars;
        self.missing_bars += other.missing_bars;
        self.worst_lag_seconds = self.worst_lag_seconds.max(other.worst_lag_seconds);
        self.p95_lag_seconds = self.p95_lag_seconds.max(other.p95_lag_seconds);
    }

    /// Sums up what was found out about each series.
    fn of(series: impl Iterator<Item = Vec<Explanation>>) -> Self {
        let mut standing = Self::default();
        let mut lags = Vec::new();
        for runs in series {
            let bars = |reason| runs.iter().filter(move |run| run.reason == reason).map(|run| u64::from(run.bars));
            let missing = bars(Reason::Missing).sum::<u64>() + bars(Reason::Live).sum::<u64>();
            standing.series += 1;
            standing.missing_bars += missing;
            standing.due_bars += missing + bars(Reason::Covered).sum::<u64>();
            lags.push(u64::try_from(lag(&runs).num_seconds()).unwrap_or(0));
        }
        lags.sort_unstable();
        standing.worst_lag_seconds = lags.last().copied().unwrap_or(0);
        standing.p95_lag_seconds = lags.get((lags.len() * 19).div_ceil(20).saturating_sub(1)).copied().unwrap_or(0);
        standing
    }
}

/// From the end of the newest fetched bar to that of the newest that is due; from the first that is due, if none was
/// fetched.
fn lag(runs: &[Explanation]) -> TimeDelta {
    let mut due = runs.iter().filter(|run| run.reason != Reason::Unsettled);
    let Some(newest_due) = due.clone().next_back() else { return TimeDelta::zero() };
    let newest_fetched = due.clone().rfind(|run| run.reason == Reason::Covered).map(|run| run.range.end());
    let since = newest_fetched.or_else(|| due.next().map(|run| run.range.start()));
    since.map_or(TimeDelta::zero(), |since| newest_due.range.end() - since)
}

impl Group {
    /// How complete it is.
    pub(crate) fn standing(&self) -> Standing {
        Standing::of(self.series().map(|series| self.explain(series)))
    }
}

#[cfg(test)]
mod tests {
    use barkeep_types::TimeRange;
    use chrono::DateTime;

    use super::*;

    fn run(start: i64, end: i64, reason: Reason) -> Explanation {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).unwrap();
        Explanation { range: TimeRange::new(at(start), at(end)).unwrap(), bars: (end - start) as u32, reason }
    }

    #[test]
    fn lag_is_from_the_newest_fetched_bar_to_the_newest_due() {
        let complete = vec![run(0, 10, Reason::Covered), run(10, 11, Reason::Unsettled)];
        let behind = vec![run(0, 6, Reason::Covered), run(6, 8, Reason::Live), run(8, 10, Reason::Missing)];
        let hole = vec![run(0, 4, Reason::Covered), run(4, 6, Reason::Missing), run(6, 10, Reason::Covered)];
        let empty = vec![run(0, 10, Reason::Missing)];
        for (runs, hours) in [(&complete, 0), (&behind, 4), (&hole, 0), (&empty, 10), (&vec![], 0)] {
            assert_eq!(lag(runs), TimeDelta::hours(hours), "{runs:?}");
        }
        let standing = Standing::of([complete, behind, hole, empty].into_iter());
        assert_eq!((standing.series, standing.due_bars, standing.missing_bars), (4, 40, 16));
        assert_eq!((standing.worst_lag_seconds, standing.ratio()), (36_000, 0.6));
    }

    #[test]
    fn one_series_in_twenty_may_be_left_out_of_the_percentile() {
        let behind = |hours: i64| vec![run(0, 20, Reason::Covered), run(20, 20 + hours, Reason::Missing)];
        let standing = Standing::of((1..=20).map(behind));
        assert_eq!((standing.worst_lag_seconds, standing.p95_lag_seconds), (20 * 3600, 19 * 3600));
        assert_eq!(Standing::of(std::iter::empty()).ratio(), 1.0);
    }
}
