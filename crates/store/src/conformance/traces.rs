//! What tells that bars may have changed.

use super::*;
use crate::{Moment, Rewrite, Traces, Withdrawal};

/// Minutes of a year of 365 days.
const YEAR: i64 = 525_600;

fn traces(store: &dyn Store) -> &dyn Traces {
    store.traces().expect("a store that leaves traces")
}

async fn rewrites(store: &dyn Store, symbol: &str) -> Vec<Rewrite> {
    traces(store).rewrites(&[series(symbol)]).await.expect("rewrites are read").remove(0)
}

async fn years(store: &dyn Store, symbol: &str) -> Vec<i32> {
    rewrites(store, symbol).await.into_iter().map(|rewrite| rewrite.year).collect()
}

/// Fresh pages, pages that come again, holes filled, and states that change are told by coverage alone.
pub async fn what_coverage_shows_leaves_no_other_trace(store: &dyn Store) {
    let provisional = Commit::new(minutes(20, 30)).with_bars(series("AAPL"), bars(20, 30)).with_proof(
        series("AAPL"),
        minutes(20, 30),
        State::Provisional,
    );
    for page in [page("AAPL", 0, 10), page("AAPL", 0, 10), provisional, page("AAPL", 20, 30), page("AAPL", 10, 20)] {
        commit(store, page).await;
    }
    commit(store, empty_page("AAPL", 30, 40, State::Covered)).await;
    store.suspect(&series("AAPL"), minutes(0, 5)).await.expect("time is doubted");
    commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(rewrites(store, "AAPL").await, []);
}

/// A bar revised, one that comes late into covered time, and one that comes without coverage: each year by itself.
pub async fn what_coverage_does_not_show_is_noted_by_year(store: &dyn Store) {
    for symbol in ["AAPL", "LATE", "AHEAD"] {
        commit(store, empty_page(symbol, -YEAR, YEAR, State::Covered)).await;
    }
    commit(store, page("MSFT", 0, 10)).await;
    let mut revised = page("MSFT", 3, 4);
    revised.bars[0].1[0].close += 0.25;
    commit(store, revised.clone()).await;
    let first = rewrites(store, "MSFT").await;
    assert_eq!(first.iter().map(|rewrite| rewrite.year).collect::<Vec<_>>(), [2024]);
    assert_eq!(rewrites(store, "MSFT").await, first);
    revised.bars[0].1[0].close += 0.25;
    commit(store, revised).await;
    assert_ne!(rewrites(store, "MSFT").await, first, "another time, another mark");

    let late = |minute| Bar { start: at(minute), ..bar(0) };
    let page = Commit::new(minutes(-YEAR, YEAR)).with_bars(series("LATE"), vec![late(-YEAR), late(7)]);
    commit(store, page).await;
    assert_eq!(years(store, "LATE").await, [2023, 2024]);
    let page = Commit::new(minutes(YEAR, 2 * YEAR)).with_bars(series("AHEAD"), vec![late(YEAR)]);
    commit(store, page).await;
    assert_eq!(years(store, "AHEAD").await, [2025]);
    assert_eq!(rewrites(store, "AAPL").await, []);
}

/// A moment is passed once its page is stored, and for ever; another store does not have it.
pub async fn a_moment_is_passed_by_the_store_that_has_its_page(store: &dyn Store) {
    let traces = traces(store);
    assert_eq!(traces.moment().await.expect("a moment is read"), None);
    commit(store, page("AAPL", 0, 10)).await;
    let moment = traces.moment().await.expect("a moment is read").expect("a page is stored");
    commit(store, page("AAPL", 10, 20)).await;
    assert_ne!(traces.moment().await.expect("a moment is read"), Some(moment.clone()));
    let passed = async |text: &str| traces.has_passed(&Moment::new(text)).await.expect("a moment is looked for");
    assert!(passed(moment.as_str()).await);
    let page = moment.as_str().split('@').next().unwrap_or_default();
    for other in [&format!("{page}@1"), "99@1", "", "@", "moment"] {
        assert!(!passed(other).await, "{other:?}");
    }
}

/// Bars that are taken out, and those that are forgotten, with coverage and without.
pub async fn what_is_gone_is_noted_by_year(store: &impl Forgetful) {
    commit(store, page("AAPL", 0, 10)).await;
    let withdrawal = Withdrawal { start: at(3), reason: "wrong".to_owned() };
    assert_eq!(store.withdraw(&series("AAPL"), &[withdrawal]).await.expect("a bar is withdrawn"), 1);
    assert_eq!(years(store, "AAPL").await, [2024]);

    let flat = |minute| Bar { start: at(minute), ..bar(0) };
    let whole = minutes(-2 * YEAR, 10);
    let page = Commit::new(whole).with_bars(series("MSFT"), vec![flat(-2 * YEAR), flat(-YEAR), flat(0)]);
    commit(store, page.with_proof(series("MSFT"), whole, State::Covered)).await;
    let ahead = Commit::new(whole).with_bars(series("NVDA"), vec![flat(-YEAR), flat(0)]);
    commit(store, ahead).await;
    let before = rewrites(store, "NVDA").await;
    commit(store, empty_page("LATER", 5, 10, State::Covered)).await;
    store.retain(at(1)).await.expect("the past is forgotten");
    assert_eq!(years(store, "MSFT").await, [2022, 2023, 2024]);
    let after = rewrites(store, "NVDA").await;
    assert_ne!(before.last(), after.last(), "the year of which some bars went");
    assert_eq!(rewrites(store, "LATER").await, []);
}
