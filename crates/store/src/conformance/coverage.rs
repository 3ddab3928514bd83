//! What becomes of coverage.

use super::*;

/// An answer without bars is an answer.
pub async fn an_empty_page_covers_with_zero_rows(store: &dyn Store) {
    let committed = commit(store, empty_page("AAPL", 0, 30, State::Covered)).await;
    assert_eq!(committed, Committed::default());
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 0, 1)]);
    commit(store, empty_page("AAPL", 0, 30, State::Covered)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 0, 1)]);
}

/// The last symbol of an unfinished page has bars whose end nobody knows.
pub async fn bars_beyond_the_proof_are_stored_and_not_covered(store: &dyn Store) {
    let unfinished = Commit::new(minutes(0, 30))
        .with_bars(series("AAPL"), bars(0, 10))
        .with_bars(series("MSFT"), bars(0, 10))
        .with_proof(series("AAPL"), minutes(0, 30), State::Covered)
        .with_proof(series("MSFT"), minutes(0, 9), State::Covered);
    assert_eq!(commit(store, unfinished).await.inserted, 20);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 10, 0)]);
    assert_eq!(ledger(store, "MSFT").await, [(minutes(0, 9), State::Covered, 9, 0)]);
    assert_eq!(stored(store, "MSFT").await, bars(0, 10));
    let unproved = Commit::new(minutes(0, 30)).with_bars(series("NVDA"), bars(0, 3));
    assert_eq!(commit(store, unproved).await.inserted, 3);
    assert_eq!(ledger(store, "NVDA").await, []);
}

/// A span's rows are the bars within it, whenever they came.
pub async fn bars_stored_ahead_of_their_proof_are_counted_once_proved(store: &dyn Store) {
    commit(store, Commit::new(minutes(0, 30)).with_bars(series("AAPL"), bars(0, 10))).await;
    let committed = commit(store, page("AAPL", 5, 15)).await;
    assert_eq!(committed, Committed { inserted: 5, unchanged: 5, ..Committed::default() });
    assert_eq!(ledger(store, "AAPL").await, [(minutes(5, 15), State::Covered, 10, 0)]);
    commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 15), State::Covered, 15, 0)]);
    let late = Commit::new(minutes(0, 30)).with_bars(series("AAPL"), bars(10, 20));
    assert_eq!(commit(store, late).await.inserted, 5);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 15), State::Covered, 15, 0)]);
}

/// A backfill of a thousand pages leaves one row of coverage.
pub async fn pages_that_follow_each_other_coalesce(store: &dyn Store) {
    for from in [10, 0, 20, 15, 5] {
        commit(store, page("AAPL", from, from + 5)).await;
    }
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 25), State::Covered, 25, 0)]);
}

/// What was not asked for is not covered.
pub async fn coverage_with_a_hole_has_two_spans(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    commit(store, page("AAPL", 6, 10)).await;
    let covered = State::Covered;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), covered, 5, 0), (minutes(6, 10), covered, 4, 0)]);
}

/// Today's bars are fetched again once settled.
pub async fn provisional_time_is_covered_once_settled(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut today = page("AAPL", 5, 10);
    today.proofs[0].state = State::Provisional;
    commit(store, today).await;
    let spans = [(minutes(0, 5), State::Covered, 5, 0), (minutes(5, 10), State::Provisional, 5, 0)];
    assert_eq!(ledger(store, "AAPL").await, spans);
    assert_eq!(commit(store, page("AAPL", 5, 10)).await.unchanged, 5);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 10), State::Covered, 10, 0)]);
}

/// A late worker with an early answer takes nothing back.
pub async fn covered_time_is_not_made_provisional(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut late = page("AAPL", 3, 8);
    late.proofs[0].state = State::Provisional;
    commit(store, late).await;
    let spans = [(minutes(0, 5), State::Covered, 5, 0), (minutes(5, 8), State::Provisional, 3, 0)];
    assert_eq!(ledger(store, "AAPL").await, spans);
}

/// Doubt is cut to the minute, and each piece knows its rows.
pub async fn suspected_time_is_cut_out_and_counted(store: &dyn Store) {
    commit(store, page("AAPL", 0, 10)).await;
    store.suspect(&series("AAPL"), minutes(4, 6)).await.expect("time is doubted");
    let expected = [
        (minutes(0, 4), State::Covered, 4, 0),
        (minutes(4, 6), State::Suspect, 2, 0),
        (minutes(6, 10), State::Covered, 4, 0),
    ];
    assert_eq!(ledger(store, "AAPL").await, expected);
    let before = spans(store, "AAPL").await;
    store.suspect(&series("AAPL"), minutes(4, 6)).await.expect("time is doubted again");
    assert_eq!(spans(store, "AAPL").await, before);
    assert_eq!(stored(store, "AAPL").await, bars(0, 10));
}

/// Doubt is about what was fetched: what was not is simply missing.
pub async fn time_never_covered_is_not_suspected(store: &dyn Store) {
    store.suspect(&series("AAPL"), minutes(0, 10)).await.expect("an unknown series is doubted");
    commit(store, page("AAPL", 0, 5)).await;
    store.suspect(&series("AAPL"), minutes(3, 10)).await.expect("time is doubted");
    let expected = [(minutes(0, 3), State::Covered, 3, 0), (minutes(3, 5), State::Suspect, 2, 0)];
    assert_eq!(ledger(store, "AAPL").await, expected);
}

/// Whoever verifies empty time a bounded number of times can see how often it was done.
pub async fn an_empty_span_found_empty_again_counts_its_checks(store: &dyn Store) {
    for checks in 1..4 {
        commit(store, empty_page("AAPL", 0, 30, State::Covered)).await;
        assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 0, checks)]);
        store.suspect(&series("AAPL"), minutes(0, 30)).await.expect("time is doubted");
        assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Suspect, 0, checks)]);
    }
    commit(store, page("AAPL", 0, 30)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 30), State::Covered, 30, 0)]);
}

/// A hole between two spans leaves one when it is filled.
pub async fn a_hole_filled_joins_its_neighbours(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    commit(store, page("AAPL", 10, 15)).await;
    commit(store, page("AAPL", 4, 11)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 15), State::Covered, 15, 0)]);
    assert_eq!(stored(store, "AAPL").await, bars(0, 15));
}

/// A bar that was sent but could not be true is neither there nor known not to be.
pub async fn the_time_of_a_refused_bar_is_suspect(store: &dyn Store) {
    let mut spoiled = page("AAPL", 0, 10);
    spoiled.bars[0].1[4].low = f64::NAN;
    commit(store, spoiled.clone()).await;
    let expected = [
        (minutes(0, 4), State::Covered, 4, 0),
        (minutes(4, 5), State::Suspect, 0, 1),
        (minutes(5, 10), State::Covered, 5, 0),
    ];
    assert_eq!(ledger(store, "AAPL").await, expected);
    commit(store, spoiled).await;
    assert_eq!(ledger(store, "AAPL").await, expected);
    commit(store, page("AAPL", 0, 10)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 10), State::Covered, 10, 0)]);
}
