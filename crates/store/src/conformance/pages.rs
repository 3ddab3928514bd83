//! What becomes of the bars of a page.

use super::*;

/// Bars and coverage are committed together, and read back equal.
pub async fn a_page_is_read_back_as_it_was_committed(store: &dyn Store) {
    let committed = commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(committed, Committed { inserted: 5, ..Committed::default() });
    assert_eq!(committed.written(), 5);
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Covered, 5, 0)]);
}

/// The same again changes nothing: not the bars, not when they were fetched.
pub async fn a_page_committed_again_writes_nothing(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let before = spans(store, "AAPL").await;
    for again in [page("AAPL", 0, 5), page("AAPL", 1, 3), page("AAPL", 0, 5)] {
        let unchanged = again.bars[0].1.len() as u64;
        assert_eq!(commit(store, again).await, Committed { unchanged, ..Committed::default() });
    }
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
    assert_eq!(spans(store, "AAPL").await, before);
}

/// A page is recognised by its digest only while nothing it said was changed.
pub async fn a_page_recognised_is_not_trusted_once_its_bars_were_revised(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut other = page("AAPL", 2, 3);
    other.bars[0].1[0].volume += 1.0;
    assert_eq!(commit(store, other).await.revised, 1);
    let again = commit(store, page("AAPL", 0, 5)).await;
    assert_eq!(again, Committed { revised: 1, unchanged: 4, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
}

/// A page fetched again because its time was in doubt covers it again.
pub async fn a_page_recognised_is_not_trusted_once_its_coverage_was_doubted(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    store.suspect(&series("AAPL"), minutes(0, 5)).await.expect("time is doubted");
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Suspect, 5, 0)]);
    assert_eq!(commit(store, page("AAPL", 0, 5)).await.unchanged, 5);
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Covered, 5, 0)]);
}

/// A correction is an update, counted as such, and touches no other bar.
pub async fn other_values_replace_those_stored(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut corrected = page("AAPL", 0, 5);
    corrected.bars[0].1[3].close = 169.75;
    corrected.bars[0].1[4].vwap = None;
    let expected = corrected.bars[0].1.clone();
    let committed = commit(store, corrected).await;
    assert_eq!(committed, Committed { revised: 2, unchanged: 3, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, expected);
}

/// A provider that forgets a bar does not make us forget it.
pub async fn bars_that_a_page_lacks_are_kept_and_counted(store: &dyn Store) {
    commit(store, page("AAPL", 0, 5)).await;
    let mut lacking = page("AAPL", 0, 5);
    lacking.bars[0].1.remove(2);
    for _ in 0..2 {
        let committed = commit(store, lacking.clone()).await;
        assert_eq!(committed, Committed { unchanged: 4, absent: 1, ..Committed::default() });
    }
    assert_eq!(commit(store, empty_page("AAPL", 0, 5, State::Covered)).await.absent, 5);
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
    assert_eq!(ledger(store, "AAPL").await, [(minutes(0, 5), State::Covered, 5, 0)]);
}

/// Providers repeat themselves; the last word counts.
pub async fn of_doubled_bars_the_last_wins(store: &dyn Store) {
    let mut doubled = page("AAPL", 0, 3);
    let last = Bar { volume: 7.0, ..bar(1) };
    doubled.bars.push((series("AAPL"), vec![Bar { volume: 6.0, ..bar(1) }, last]));
    let committed = commit(store, doubled).await;
    assert_eq!(committed, Committed { inserted: 3, doubled: 2, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, [bar(0), last, bar(2)]);
}

/// Order is the store's business.
pub async fn bars_in_any_order_are_stored_in_order(store: &dyn Store) {
    let mut backwards = page("AAPL", 0, 50);
    backwards.bars[0].1.reverse();
    assert_eq!(commit(store, backwards).await.inserted, 50);
    assert_eq!(stored(store, "AAPL").await, bars(0, 50));
}

/// A provider cannot write where nobody asked it to.
pub async fn bars_outside_of_what_was_asked_are_dropped(store: &dyn Store) {
    let mut generous = page("AAPL", 0, 5);
    generous.bars[0].1 = bars(-3, 9);
    let committed = commit(store, generous).await;
    assert_eq!(committed, Committed { inserted: 5, dropped: 7, ..Committed::default() });
    assert_eq!(stored(store, "AAPL").await, bars(0, 5));
}

/// Impossible bars are named, and the possible ones of the page stored.
pub async fn impossible_bars_are_refused_with_every_reason(store: &dyn Store) {
    type Spoil = fn(&mut Bar);
    let spoils: [(Spoil, BarFault); 8] = [
        (|bar| bar.open = f64::NAN, BarFault::NotFinite),
        (|bar| bar.high = f64::INFINITY, BarFault::NotFinite),
        (|bar| bar.low = -1.0, BarFault::PriceNotPositive),
        (|bar| bar.low = 5e-324, BarFault::TooSmall),
        (|bar| bar.high = 1.0, BarFault::HighBelowLow),
        (|bar| bar.volume = 9_007_199_254_740_992.0, BarFault::VolumeTooLarge),
        (|bar| bar.vwap = Some(f64::NAN), BarFault::NotFinite),
        (|bar| bar.trade_count = Some(u64::MAX), BarFault::TradeCountTooLarge),
    ];
    let mut spoiled = page("AAPL", 0, 10);
    for (index, (spoil, _)) in spoils.iter().enumerate() {
        spoil(&mut spoiled.bars[0].1[index]);
    }
    for _ in 0..2 {
        let committed = commit(store, spoiled.clone()).await;
        assert_eq!((committed.refused, committed.refusals.len()), (8, 8));
        for (refused, (_, fault)) in committed.refusals.iter().zip(&spoils) {
            assert!(refused.faults.reasons().contains(fault), "{refused:?}");
        }
        assert_eq!(stored(store, "AAPL").await, bars(8, 10));
    }
}

/// Whatever was asked for, nothing is stored before 1970 or after 2100.
pub async fn bars_out_of_reach_are_refused(store: &dyn Store) {
    let starts = [i64::from(i32::MIN), -1, 0, 4_102_444_799, 4_102_444_800, 9_000_000_000];
    let instant = |seconds| DateTime::from_timestamp(seconds, 0).expect("an instant of chrono's reach");
    let all_time = TimeRange::new(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).expect("all time");
    let bars = starts.map(|start| Bar { start: instant(start), ..bar(0) }).to_vec();
    let page =
        Commit::new(all_time).with_bars(series("AAPL"), bars).with_proof(series("AAPL"), all_time, State::Covered);
    let committed = commit(store, page).await;
    assert_eq!((committed.inserted, committed.refused), (2, 4));
    assert!(committed.refusals.iter().all(|refused| refused.faults.reasons().contains(&BarFault::StartOutOfReach)));
    let stored = store.bars(&series("AAPL"), all_time, usize::MAX).await.expect("bars are read");
    assert_eq!(stored.iter().map(|bar| bar.start.timestamp()).collect::<Vec<_>>(), starts[2..4]);
}

/// Nothing of a page is stored that claims what it cannot know.
pub async fn a_proof_beyond_what_was_asked_is_an_error(store: &dyn Store) {
    let mut boastful = page("AAPL", 0, 5);
    boastful.proofs[0].range = minutes(0, 6);
    let error = store.commit(&boastful).await.expect_err("the proof is refused");
    assert!(matches!(error, Error::InvalidCommit { .. }), "{error}");
    assert_eq!((error.code(), error.is_transient()), ("VALIDATION_ERROR", false));
    assert_eq!(stored(store, "AAPL").await, []);
}

/// Saying nothing is allowed.
pub async fn a_page_of_nothing_is_nothing(store: &dyn Store) {
    assert_eq!(commit(store, Commit::new(minutes(0, 5))).await, Committed::default());
    let silent = Commit::new(minutes(0, 5)).with_bars(series("AAPL"), Vec::new());
    assert_eq!(commit(store, silent).await, Committed::default());
    assert_eq!(ledger(store, "AAPL").await, []);
}

/// Two hundred symbols in one page are one transaction.
pub async fn a_page_of_many_series_is_one_commit(store: &dyn Store) {
    let symbols: Vec<String> = (0..200).map(|number| format!("S{number}")).collect();
    let mut commit_many = Commit::new(minutes(0, 5)).with_request("request-1");
    for symbol in &symbols {
        commit_many =
            commit_many.with_bars(series(symbol), bars(0, 5)).with_proof(series(symbol), minutes(0, 5), State::Covered);
    }
    assert_eq!(commit(store, commit_many.clone()).await.inserted, 1_000);
    assert_eq!(commit(store, commit_many).await.unchanged, 1_000);
    let all: Vec<Series> = symbols.iter().map(|symbol| series(symbol)).collect();
    let coverage = store.coverage(&all, TimeRange::ALWAYS).await.expect("coverage is read");
    assert!(coverage.iter().all(|spans| spans.len() == 1 && spans[0].rows == 5));
    assert_eq!(store.series().await.expect("series are read").len(), 200);
}

/// Whoever comes second finds what the first one did.
pub async fn writers_of_overlapping_pages_neither_block_nor_double(store: &dyn Store) {
    // The pages name their series in different orders, and overlap in time.
    let page = |from: i64, symbols: [&str; 4]| {
        let range = minutes(from, from + 20);
        symbols.iter().fold(Commit::new(range), |page, symbol| {
            page.with_bars(series(symbol), bars(from, from + 20)).with_proof(series(symbol), range, State::Covered)
        })
    };
    let (forwards, backwards) = (["A", "B", "C", "D"], ["D", "C", "B", "A"]);
    let pages: Vec<Commit> =
        (0..24).map(|number| page(5 * number, if number % 2 == 0 { forwards } else { backwards })).collect();
    let committed = try_join_all(pages.iter().map(|page| store.commit(page))).await.expect("pages are committed");
    let inserted: u64 = committed.iter().map(|committed| committed.inserted).sum();
    assert_eq!(inserted, 4 * 135);
    for symbol in forwards {
        assert_eq!(stored(store, symbol).await, bars(0, 135));
        assert_eq!(ledger(store, symbol).await, [(minutes(0, 135), State::Covered, 135, 0)]);
    }
}

/// Nothing depends on how long a page is.
pub async fn a_long_page_is_stored_whole(store: &dyn Store) {
    let committed = commit(store, page("AAPL", 0, 12_345)).await;
    assert_eq!(committed.inserted, 12_345);
    assert_eq!(stored(store, "AAPL").await, bars(0, 12_345));
    let (mut grown, last) = (page("AAPL", 0, 12_345), Bar { close: 170.5, ..bar(12_344) });
    grown.bars[0].1[12_344] = last;
    assert_eq!(commit(store, grown).await, Committed { revised: 1, unchanged: 12_344, ..Committed::default() });
    assert_eq!(store.latest(&[series("AAPL")]).await.expect("latest bars are read"), [Some(last)]);
}
