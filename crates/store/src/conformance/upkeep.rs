//! What is left when the past is forgotten.

use super::*;
use crate::{Forgotten, History, Upkeep};

/// A store whose past can be forgotten.
pub trait Forgetful: Store + History + Upkeep {}
impl<S: Store + History + Upkeep> Forgetful for S {}

/// Minutes of a year of 365 days.
const YEAR: i64 = 525_600;

async fn retain(store: &impl Forgetful, since: DateTime<Utc>) -> Forgotten {
    let forgotten = store.retain(since).await.expect("the past is forgotten");
    bars_and_coverage_agree(store).await;
    forgotten
}

/// What starts before an instant goes, whatever covers it; a span that goes on after it keeps the rest.
pub async fn what_starts_before_is_forgotten_with_its_coverage(store: &impl Forgetful) {
    commit(store, page("AAPL", 0, 10)).await;
    commit(store, page("AAPL", 20, 30)).await;
    commit(store, empty_page("MSFT", 0, 30, State::Suspect)).await;
    commit(store, Commit::new(minutes(0, 40)).with_bars(series("NVDA"), bars(0, 25))).await;
    assert_eq!(retain(store, at(24)).await.bars, 10 + 4 + 24);
    assert_eq!(stored(store, "AAPL").await, bars(24, 30));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(24, 30), State::Covered, 6, 0)]);
    assert_eq!(ledger(store, "MSFT").await, [(minutes(24, 30), State::Suspect, 0, 1)]);
    assert_eq!(stored(store, "NVDA").await, bars(24, 25));
    let summary = store.summaries(&[series("AAPL")]).await.expect("summaries are read")[0];
    assert_eq!((summary.bars, summary.first), (6, Some(at(24))));
    assert_eq!(retain(store, at(24)).await, Forgotten::default());
    // A span of which no bar is left is empty, not gone.
    commit(store, Commit::new(minutes(30, 60)).with_proof(series("AAPL"), minutes(30, 60), State::Covered)).await;
    retain(store, at(40)).await;
    assert_eq!(ledger(store, "AAPL").await, [(minutes(40, 60), State::Covered, 0, 1)]);
}

/// What was forgotten is not recognised: the same page is stored anew.
pub async fn a_page_that_was_forgotten_is_stored_anew(store: &impl Forgetful) {
    let unproved = Commit::new(minutes(0, 10)).with_bars(series("MSFT"), bars(0, 10));
    commit(store, page("AAPL", 0, 10)).await;
    commit(store, unproved.clone()).await;
    retain(store, at(100)).await;
    assert_eq!((stored(store, "AAPL").await, ledger(store, "AAPL").await), (vec![], vec![]));
    assert_eq!(commit(store, page("AAPL", 0, 10)).await.inserted, 10);
    assert_eq!(commit(store, unproved).await.inserted, 10);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 10), State::Covered, 10, 0)]);
}

/// Years that have passed whole, and the part of one; more than is deleted at a time.
pub async fn years_are_forgotten(store: &impl Forgetful) {
    // Prices depend on the minute of the year alone: they must stay possible.
    let shifted = |year: i64, count: i64| {
        let range = minutes(year * YEAR, year * YEAR + count);
        let bars = (0..count).map(|minute| Bar { start: at(year * YEAR + minute), ..bar(minute) }).collect();
        Commit::new(range).with_bars(series("AAPL"), bars).with_proof(series("AAPL"), range, State::Covered)
    };
    for year in [-20, -2, -1, 0] {
        assert_eq!(commit(store, shifted(year, 12_345)).await.inserted, 12_345);
    }
    let forgotten = retain(store, at(345)).await;
    assert_eq!(stored(store, "AAPL").await, bars(345, 12_345));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(345, 12_345), State::Covered, 12_000, 0)]);
    // Whole years may be dropped uncounted.
    assert!(forgotten.years > 0 || forgotten.bars == 3 * 12_345 + 345, "{forgotten:?}");
    // The forgotten years can be filled again.
    assert_eq!(commit(store, shifted(-1, 10)).await.inserted, 10);
}

/// Former values go with their bars.
pub async fn former_values_are_forgotten_with_their_bars(store: &impl Forgetful) {
    store.keep_history().await.expect("history is kept");
    for close in [170.0, 170.25, 170.5] {
        let mut page = page("AAPL", 0, 2);
        page.bars[0].1.iter_mut().for_each(|bar| bar.close = close);
        commit(store, page).await;
    }
    retain(store, at(1)).await;
    let far = DateTime::from_timestamp(4_000_000_000, 0).expect("an instant of this century");
    let known = store.bars_as_of(&series("AAPL"), minutes(0, 2), far, 9).await.expect("bars are read");
    assert_eq!(known, [Bar { close: 170.5, ..bar(1) }]);
}

/// Before all bars there is nothing to forget, and after all of them everything.
pub async fn instants_out_of_reach_are_bounds_too(store: &impl Forgetful) {
    commit(store, page("AAPL", 0, 3)).await;
    assert_eq!(retain(store, DateTime::<Utc>::MIN_UTC).await, Forgotten::default());
    assert_eq!(stored(store, "AAPL").await, bars(0, 3));
    retain(store, DateTime::<Utc>::MAX_UTC).await;
    assert_eq!((stored(store, "AAPL").await, ledger(store, "AAPL").await), (vec![], vec![]));
}

/// A page that comes while the past is forgotten is either forgotten with it or whole.
pub async fn writers_go_on_while_the_past_is_forgotten(store: &impl Forgetful) {
    let pages: Vec<Commit> = (0..20).map(|number| page("AAPL", 10 * number, 10 * number + 10)).collect();
    let writing = try_join_all(pages.iter().map(|page| store.commit(page)));
    let forgetting = try_join_all((0..20).map(|_| store.retain(at(100))));
    let (written, forgotten) = futures::join!(writing, forgetting);
    written.expect("pages are committed");
    forgotten.expect("the past is forgotten");
    bars_and_coverage_agree(store).await;
    retain(store, at(100)).await;
    assert_eq!(stored(store, "AAPL").await, bars(100, 200));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(100, 200), State::Covered, 100, 0)]);
}
