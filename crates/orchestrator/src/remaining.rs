//! What a slice still lacks when a worker takes it up: all of it, unless another one died in the middle.

use barkeep_types::{Coverage, Symbol, TimeRange};

use crate::SliceJob;

/// The requests that bring what the slice's symbols lack, each given with the time that is there of it.
///
/// Mostly one, for the whole slice. Symbols that are done are left out, and closed ends are cut off. The symbol that a
/// dead worker stopped at gets a request of its own where that saves a page, so that a crash costs one page at most.
pub(crate) fn remaining(slice: &SliceJob, there: &[(Symbol, Coverage)]) -> Vec<(Vec<Symbol>, TimeRange)> {
    let lacking = there.iter().filter_map(|(symbol, covered)| Some((symbol, hull(covered.gaps_in(slice.range))?)));
    let lacking: Vec<(&Symbol, TimeRange)> = lacking.collect();
    let together = |part: &[(&Symbol, TimeRange)]| {
        let range = hull(part.iter().map(|(_, range)| *range))?;
        Some((part.iter().map(|(symbol, _)| (*symbol).clone()).collect(), range))
    };
    let parts = match lacking.split_first() {
        Some((first, others)) if saves_a_page(slice, first.1) => {
            [together(std::slice::from_ref(first)), together(others)]
        }
        _ => [together(&lacking), None],
    };
    parts.into_iter().flatten().collect()
}

/// Whether what is already there of a symbol that lacks `range` would take a page to fetch again.
fn saves_a_page(slice: &SliceJob, range: TimeRange) -> bool {
    let pages_a_symbol = slice.expected_requests as f64 / slice.symbols.len() as f64;
    let seconds = |range: TimeRange| range.length().as_seconds_f64();
    pages_a_symbol * (1.0 - seconds(range) / seconds(slice.range)) >= 1.0
}

/// The shortest range with all of `ranges` in it.
fn hull(ranges: impl Iterator<Item = TimeRange>) -> Option<TimeRange> {
    let join = |left: TimeRange, right: TimeRange| {
        let (start, end) = (left.start().min(right.start()), left.end().max(right.end()));
        TimeRange::new(start, end).unwrap_or(left)
    };
    ranges.reduce(join)
}

#[cfg(test)]
mod tests {
    use barkeep_catalog::presets;
    use barkeep_planner::Slice;
    use barkeep_types::Timeframe;
    use chrono::DateTime;

    use super::*;

    fn range(start: i64, end: i64) -> TimeRange {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).unwrap();
        TimeRange::new(at(start), at(end)).unwrap()
    }

    fn slice(symbols: &[&str], expected_requests: u64) -> SliceJob {
        let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
        let slice = Slice { symbols, range: range(0, 100), bars: 0, requests: expected_requests };
        SliceJob::new(&presets::tech20(), Timeframe::H1, slice)
    }

    fn left(slice: &SliceJob, covered: &[&[TimeRange]]) -> Vec<(String, TimeRange)> {
        let covered = covered.iter().map(|ranges| ranges.iter().copied().collect());
        let covered: Vec<(Symbol, Coverage)> = slice.symbols.iter().cloned().zip(covered).collect();
        let name = |symbols: Vec<Symbol>| symbols.iter().map(Symbol::as_str).collect::<Vec<_>>().join(",");
        remaining(slice, &covered).into_iter().map(|(symbols, range)| (name(symbols), range)).collect()
    }

    #[test]
    fn a_fresh_slice_is_one_request() {
        let slice = slice(&["A", "B", "C"], 9);
        assert_eq!(left(&slice, &[&[], &[], &[]]), [("A,B,C".to_owned(), range(0, 100))]);
    }

    #[test]
    fn a_slice_that_is_done_is_none() {
        let slice = slice(&["A", "B"], 9);
        assert_eq!(left(&slice, &[&[range(0, 100)], &[range(-5, 105)]]), []);
    }

    #[test]
    fn after_a_crash_the_symbol_it_stopped_at_goes_on_from_there() {
        let slice = slice(&["A", "B", "C"], 9);
        let rest = left(&slice, &[&[range(0, 100)], &[range(0, 50)], &[]]);
        assert_eq!(rest, [("B".to_owned(), range(50, 100)), ("C".to_owned(), range(0, 100))]);
    }

    #[test]
    fn what_costs_less_than_a_page_is_fetched_again_with_the_others() {
        let slice = slice(&["A", "B", "C"], 3);
        let rest = left(&slice, &[&[], &[range(0, 50)], &[]]);
        assert_eq!(rest, [("A,B,C".to_owned(), range(0, 100))]);
    }

    #[test]
    fn gaps_that_the_planner_chose_to_fetch_together_stay_together() {
        let slice = slice(&["A", "B"], 1);
        let rest = left(&slice, &[&[range(0, 20), range(40, 60)], &[range(0, 10), range(90, 100)]]);
        assert_eq!(rest, [("A,B".to_owned(), range(10, 100))]);
    }
}
