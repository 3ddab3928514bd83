//! What is read back.

use super::*;

/// Symbol, timeframe, feed and adjustment all count.
pub async fn series_that_differ_in_anything_are_kept_apart(store: &dyn Store) {
    let base = series("AAPL");
    let others = [
        base.clone(),
        Series { timeframe: Timeframe::H1, ..base.clone() },
        Series { feed: Feed::IEX, ..base.clone() },
        Series { adjustment: Adjustment::ALL, ..base.clone() },
        series("AAPL.B"),
    ];
    for (index, other) in others.iter().enumerate() {
        let only = bar(index as i64);
        let one = Commit::new(minutes(0, 9)).with_bars(other.clone(), vec![only]);
        assert_eq!(commit(store, one).await.inserted, 1);
        let found = store.bars(other, minutes(0, 9), usize::MAX).await.expect("bars are read");
        assert_eq!(found, [only]);
    }
    let mut sorted = others.to_vec();
    sorted.sort();
    assert_eq!(store.series().await.expect("series are read"), sorted);
}

/// A question about a series never heard of has an answer too.
pub async fn answers_come_in_the_order_of_the_question(store: &dyn Store) {
    commit(store, page("MSFT", 0, 2)).await;
    commit(store, page("AAPL", 0, 3)).await;
    let asked = [series("NVDA"), series("MSFT"), series("AAPL"), series("MSFT")];
    let rows: Vec<u64> = store
        .coverage(&asked, TimeRange::ALWAYS)
        .await
        .expect("coverage is read")
        .iter()
        .map(|spans| spans.iter().map(|span| span.rows).sum())
        .collect();
    assert_eq!(rows, [0, 2, 3, 2]);
    let latest = store.latest(&asked).await.expect("latest bars are read");
    assert_eq!(latest, [None, Some(bar(1)), Some(bar(2)), Some(bar(1))]);
    assert_eq!(store.coverage(&[], TimeRange::ALWAYS).await.expect("no question, no answer"), Vec::<Vec<Span>>::new());
}

/// Only the spans that matter are read, however many there are, and they are whole.
pub async fn coverage_is_read_of_a_range_alone(store: &dyn Store) {
    for from in [0, 20, 40] {
        commit(store, page("AAPL", from, from + 10)).await;
    }
    let within = async |from, to| {
        let coverage = store.coverage(&[series("AAPL")], minutes(from, to)).await.expect("coverage is read");
        coverage[0].iter().map(|span| span.range).collect::<Vec<_>>()
    };
    assert_eq!(within(25, 26).await, [minutes(20, 30)]);
    assert_eq!(within(5, 41).await, [minutes(0, 10), minutes(20, 30), minutes(40, 50)]);
    assert_eq!(within(10, 20).await, []);
    assert_eq!(within(29, 40).await, [minutes(20, 30)]);
    assert_eq!(within(50, 60).await, []);
}

/// A range holds its start and not its end.
pub async fn bars_are_limited_and_half_open(store: &dyn Store) {
    commit(store, page("AAPL", 0, 10)).await;
    let read = async |range, limit| store.bars(&series("AAPL"), range, limit).await.expect("bars are read");
    assert_eq!(read(minutes(2, 5), usize::MAX).await, bars(2, 5));
    assert_eq!(read(minutes(2, 5), 2).await, bars(2, 4));
    assert_eq!(read(minutes(2, 5), 0).await, []);
    assert_eq!(read(minutes(10, 50), usize::MAX).await, []);
    let all_time = TimeRange::new(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC).expect("all time");
    assert_eq!(read(all_time, usize::MAX).await, bars(0, 10));
}

/// The latest bar is the latest stored, covered or not.
pub async fn the_latest_bar_of_each_series(store: &dyn Store) {
    commit(store, page("AAPL", 0, 10)).await;
    let ahead = Commit::new(minutes(0, 90)).with_bars(series("AAPL"), vec![bar(80), bar(70)]);
    commit(store, ahead).await;
    assert_eq!(store.latest(&[series("AAPL")]).await.expect("latest bars are read"), [Some(bar(80))]);
}

/// Counts, first and last, of many series at once.
pub async fn summaries_tell_how_much_there_is(store: &dyn Store) {
    commit(store, page("AAPL", 3, 9)).await;
    commit(store, empty_page("AAPL", 9, 20, State::Covered)).await;
    let summaries = store.summaries(&[series("NVDA"), series("AAPL")]).await.expect("summaries are read");
    assert_eq!(summaries[0], Summary::default());
    assert_eq!((summaries[1].bars, summaries[1].first, summaries[1].last), (6, Some(at(3)), Some(at(8))));
    assert!(summaries[1].fetched_at.is_some());
}

/// Numbers are kept as they came, absent ones absent.
pub async fn values_survive_to_the_last_bit(store: &dyn Store) {
    let odd = [
        Bar { open: 0.1 + 0.2, high: 1e300, low: 1e-12, close: 0.1, volume: 0.0, vwap: None, ..bar(0) },
        Bar { trade_count: Some(i64::MAX.cast_unsigned()), volume: 9_007_199_254_740_991.0, ..bar(1) },
        Bar { trade_count: None, vwap: Some(1e-12), volume: 1.0 / 3.0, ..bar(2) },
        Bar { trade_count: Some(0), high: 171.0, volume: 3.0, ..bar(3) },
    ];
    let page = Commit::new(minutes(0, 9)).with_bars(series("BTC/USD"), odd.to_vec());
    assert_eq!(commit(store, page.clone()).await.inserted, 4);
    assert_eq!(stored(store, "BTC/USD").await, odd);
    assert_eq!(commit(store, page).await.unchanged, 4);
}

/// More bars than are read at a time, and series between which nothing is lost.
pub async fn a_stream_has_every_bar_of_many_series(store: &dyn Store) {
    commit(store, page("AAPL", 0, 20_000)).await;
    commit(store, page("MSFT", 5, 8)).await;
    let asked = [series("MSFT"), series("NVDA"), series("AAPL")];
    let range = minutes(6, 19_999);
    let all: Vec<(&Series, Bar)> = store.stream(&asked, range).try_collect().await.expect("bars are streamed");
    let of =
        |wanted: &Series| all.iter().filter(|(series, _)| *series == wanted).map(|(_, bar)| *bar).collect::<Vec<_>>();
    assert_eq!(of(&asked[0]), bars(6, 8));
    assert_eq!(of(&asked[1]), []);
    assert_eq!(of(&asked[2]), bars(6, 19_999));
    assert!(all.is_sorted_by_key(|(series, _)| asked.iter().position(|asked| asked == *series)));
}

/// Five minutes of minutes.
pub async fn bars_are_put_together_as_they_are_read(store: &dyn Store) {
    commit(store, page("AAPL", 0, 12)).await;
    let grid = Grid::new(Timeframe::M5, vec![minutes(0, 10), minutes(11, 16)]);
    let five: Vec<Bar> = store.resampled(&series("AAPL"), grid).try_collect().await.expect("bars are resampled");
    let starts: Vec<_> = five.iter().map(|bar| bar.start).collect();
    assert_eq!(starts, [at(0), at(5), at(11)]);
    assert_eq!((five[0].open, five[0].close, five[0].high), (bar(0).open, bar(4).close, bar(4).high));
    assert_eq!((five[1].volume, five[1].trade_count), ((5..10).map(|minute| bar(minute).volume).sum(), Some(85)));
}
