//! What becomes of former values. The databases' clocks are given, to have instants between two commits.

use super::*;
use crate::History;

/// A store that keeps former values.
pub trait Remembers: Store + History {}
impl<S: Store + History> Remembers for S {}

fn with_close(from: i64, to: i64, close: f64) -> Commit {
    let mut page = page("AAPL", from, to);
    page.bars[0].1.iter_mut().for_each(|bar| bar.close = close);
    page
}

async fn closes(store: &impl Remembers, known_at: DateTime<Utc>) -> Vec<f64> {
    let bars = store.bars_as_of(&series("AAPL"), minutes(0, 9), known_at, usize::MAX).await.expect("bars are read");
    assert!(bars.is_sorted_by_key(|bar| bar.start));
    bars.iter().map(|bar| bar.close).collect()
}

/// Every version can be read at the instants at which it was the one known, and nothing else at no other.
pub async fn bars_are_read_as_they_were_known(store: &impl Remembers, now: impl AsyncFn() -> DateTime<Utc>) {
    let (mut instants, mut expected) = (Vec::new(), Vec::new());
    store.keep_history().await.expect("history is kept");
    let mut known: Vec<f64> = Vec::new();
    for (page, after) in [
        (with_close(0, 2, 170.0), vec![170.0; 2]),
        (with_close(1, 3, 170.25), vec![170.0, 170.25, 170.25]),
        (with_close(1, 3, 170.25), vec![170.0, 170.25, 170.25]),
        (with_close(0, 3, 170.5), vec![170.5; 3]),
        (with_close(1, 2, 170.0), vec![170.5, 170.0, 170.5]),
    ] {
        instants.push(now().await);
        expected.push(std::mem::replace(&mut known, after));
        commit(store, page).await;
    }
    instants.push(now().await);
    expected.push(known.clone());
    for (instant, expected) in instants.iter().zip(&expected) {
        assert_eq!(closes(store, *instant).await, *expected, "{instant}");
    }
    // What is known now is what is stored.
    let stored: Vec<f64> = stored(store, "AAPL").await.iter().map(|bar| bar.close).collect();
    assert_eq!(stored, known);
    let first = store.bars_as_of(&series("AAPL"), minutes(1, 9), instants[3], 1).await.expect("bars are read");
    assert_eq!(first, [Bar { close: 170.25, ..bar(1) }]);
    assert_eq!(store.bars_as_of(&series("MSFT"), minutes(0, 9), instants[3], 9).await.expect("no bars are read"), []);
}

/// What was not kept is not made up.
pub async fn nothing_is_told_of_a_time_without_history(store: &impl Remembers, now: impl AsyncFn() -> DateTime<Utc>) {
    let refused = async |known_at| {
        let bars = store.bars_as_of(&series("AAPL"), minutes(0, 9), known_at, usize::MAX).await;
        let error = bars.expect_err("nothing was kept");
        assert_eq!((error.code(), error.is_transient()), ("NO_HISTORY", false));
        let Error::NoHistory { asked, since } = error else { panic!("{error:?}") };
        assert_eq!(asked, known_at);
        since
    };
    commit(store, with_close(0, 1, 170.0)).await;
    let before = now().await;
    assert_eq!(refused(before).await, None);
    commit(store, with_close(0, 1, 170.25)).await;
    let since = store.keep_history().await.expect("history is kept");
    assert!(since > before);
    assert_eq!(refused(before).await, Some(since));
    assert_eq!(store.keep_history().await.expect("history is kept already"), since);
    let then = now().await;
    commit(store, with_close(0, 1, 170.5)).await;
    assert_eq!(closes(store, then).await, [170.25]);
    store.forget_history().await.expect("history is forgotten");
    assert_eq!(refused(then).await, None);
    // Nor does the next history know what the last one forgot.
    let again = store.keep_history().await.expect("history is kept");
    assert_eq!(refused(then).await, Some(again));
    assert_eq!(closes(store, now().await).await, [170.5]);
}
