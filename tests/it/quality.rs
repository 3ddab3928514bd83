//! Bars that cannot be true, and sessions that look wrong.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Injection, Listing, Market, NumberFault};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::queue::Select;
use barkeep_orchestrator::store::State;
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Clock, Orchestrator, Repair, Settings, SliceJob, Wrong};
use chrono::{DateTime, TimeDelta, Utc};
use tests::{Kind, Scene, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    f44_an_impossible_bar_is_quarantined_and_counted_and_the_rest_is_stored,
    f44_a_bar_that_never_comes_right_is_given_up_after_a_bounded_number_of_looks,
    a_sparse_session_is_doubted_and_looked_at_again_later_once,
    a_backfill_waits_for_the_looks_whose_time_has_come,
    f45_rows_of_other_hands_are_reported_first_and_then_repaired,
);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn month() -> TimeRange {
    TimeRange::new(at("2024-03-01T05:00:00Z"), at("2024-03-30T04:00:00Z")).unwrap()
}

fn definition(symbols: &[&str], timeframe: Timeframe) -> Definition {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new("some", symbols, vec![timeframe], Window::Fixed(month()))
}

async fn f44_an_impossible_bar_is_quarantined_and_counted_and_the_rest_is_stored(kind: Kind) {
    let (scene, stop) = (Scene::on(kind).await, CancellationToken::new());
    for fault in
        [NumberFault::HighBelowLow, NumberFault::ZeroPrice, NumberFault::NegativePrice, NumberFault::NegativeVolume]
    {
        let scene = Scene::on(kind).await;
        let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
        simulator.inject(Injection::of(fault));
        let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
        let definition = definition(&["AAPL", "MSFT"], Timeframe::D1);
        let report = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
        assert!(report.complete && report.quarantined == 1, "{fault:?}: {report:?}");
        for series in definition.series() {
            let stored = bars_of(&*orchestrator.backend().store, &series, month()).await;
            assert_eq!(stored, simulator.market().truth(&series, month()), "{fault:?}: {series}");
        }
    }
    drop(scene);
}

async fn f44_a_bar_that_never_comes_right_is_given_up_after_a_bounded_number_of_looks(kind: Kind) {
    let (scene, stop) = (Scene::on(kind).await, CancellationToken::new());
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    // The first bar of the month is wrong whenever it is asked for.
    simulator.inject(Injection::of(NumberFault::HighBelowLow).when("start=2024-03-01").times(usize::MAX));
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let definition = definition(&["AAPL"], Timeframe::D1);
    let report = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(report.requests < 10, "{report:?}");
    let series = definition.series().next().unwrap();
    let stored = bars_of(&*orchestrator.backend().store, &series, month()).await;
    assert_eq!(stored, simulator.market().truth(&series, month())[1..]);
    assert_eq!(orchestrator.backfill(&[definition], &stop).await.unwrap().requests, 0);
}

async fn a_sparse_session_is_doubted_and_looked_at_again_later_once(kind: Kind) {
    let (scene, stop) = (Scene::on(kind).await, CancellationToken::new());
    let hole = TimeRange::new(at("2024-03-13T13:30:00Z"), at("2024-03-13T18:00:00Z")).unwrap();
    let listing = |symbol: &str| Listing::new(symbol.parse().unwrap());
    let market = Market::empty(1)
        .with_listing(listing("AAPL"))
        .with_listing(listing("HOLE").with_hole(hole, at("2024-04-15T00:00:00Z")))
        .with_listing(listing("HALT").with_halt(hole));
    let early = at("2024-04-01T12:00:00Z");
    let simulator = AlpacaSim::options().with_market(market).with_now(early).start().await.unwrap();
    // One worker is given the month in one slice, which tells by itself what is usual.
    let settings = Settings::default().with_clock(Clock::Fixed(early)).with_workers(1);
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, scene.backend().await, settings);
    let definition = definition(&["AAPL", "HALT", "HOLE"], Timeframe::M15);
    let report = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(report.complete, "{report:?}");
    let suspects = async || {
        let coverage = orchestrator.backend().store.coverage(&definition.series().collect::<Vec<_>>(), month()).await;
        let is_doubted =
            |spans: &[barkeep_orchestrator::store::Span]| spans.iter().any(|span| span.state == State::Suspect);
        coverage.unwrap().iter().map(|spans| is_doubted(spans)).collect::<Vec<_>>()
    };
    assert_eq!(suspects().await, [false, true, true]);
    assert_eq!(orchestrator.status().await.unwrap().rechecks.live(), 1, "one look at both, later");
    let idle = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert_eq!((idle.complete, idle.requests), (true, 0), "not before a day has passed");

    // The vendor mends its hole, and the day has passed.
    simulator.set_now(at("2024-05-01T12:00:00Z"));
    let waiting = orchestrator.backend().inspect.live(SliceJob::RECHECK).await.unwrap();
    let slice = SliceJob::read(&waiting[0].payload).unwrap();
    assert_eq!((slice.symbols.len(), slice.is_recheck), (2, true));
    orchestrator.backend().control.cancel(&Select::jobs([waiting[0].id])).await.unwrap();
    let again = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(again.complete && again.bars_written == 18, "{again:?}");
    for series in definition.series() {
        assert_eq!(
            bars_of(&*orchestrator.backend().store, &series, hole).await,
            simulator.market().truth(&series, hole)
        );
    }
}

async fn a_backfill_waits_for_the_looks_whose_time_has_come(kind: Kind) {
    let (scene, stop) = (Scene::on(kind).await, CancellationToken::new());
    let hole = TimeRange::new(at("2024-03-13T13:30:00Z"), at("2024-03-13T18:00:00Z")).unwrap();
    let early = at("2024-04-01T12:00:00Z");
    let market = Market::empty(1).with_listing(Listing::new("HOLE".parse().unwrap()).with_hole(hole, early));
    let simulator =
        AlpacaSim::options().with_market(market).with_now(early - TimeDelta::hours(1)).start().await.unwrap();
    let settings = Settings::default().with_clock(Clock::Fixed(early)).with_workers(1);
    let settings = settings.with_recheck_after(TimeDelta::seconds(5));
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, scene.backend().await, settings);
    let definition = definition(&["HOLE"], Timeframe::M15);
    let first = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(first.complete, "{first:?}");
    assert_eq!(orchestrator.status().await.unwrap().rechecks.waiting, 1);

    simulator.set_now(early);
    while orchestrator.status().await.unwrap().rechecks.ready == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = orchestrator.backfill(&[definition], &stop).await.unwrap();
    assert!(again.complete && again.bars_written == 18, "{again:?}");
    assert_eq!(orchestrator.status().await.unwrap().rechecks.live(), 0);
}

async fn f45_rows_of_other_hands_are_reported_first_and_then_repaired(kind: Kind) {
    let (scene, stop) = (Scene::on(kind).await, CancellationToken::new());
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let definition = definition(&["AAPL"], Timeframe::H1);
    assert!(orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap().complete);
    let series = definition.series().next().unwrap();
    let before = bars_of(&*orchestrator.backend().store, &series, month()).await;
    let sound = orchestrator.repair(Repair::DryRun).await.unwrap();
    assert_eq!((sound.bars_checked, sound.wrong.len()), (before.len() as u64, 0));

    // A double half a minute after every tenth bar, a bar on a Sunday, and a volume that is none.
    for statement in match kind {
        Kind::Sqlite => [
            "INSERT INTO store_bar SELECT series_id, starts_at + 30, open, high, low, close, volume, vwap, trade_count, batch_id \
             FROM store_bar WHERE starts_at % 36000 = 0",
            "INSERT INTO store_bar SELECT series_id, 1710086400, open, high, low, close, volume, vwap, trade_count, batch_id \
             FROM store_bar LIMIT 1",
            "UPDATE store_bar SET volume = 1e-300 WHERE starts_at = 1710169200",
        ],
        Kind::Postgres => [
            "INSERT INTO store_bar (series_id, starts_at, open, high, low, close, volume, vwap, trade_count, batch_id) \
             SELECT series_id, starts_at + interval '30 s', open, high, low, close, volume, vwap, trade_count, batch_id \
             FROM store_bar WHERE extract(epoch FROM starts_at)::int8 % 36000 = 0",
            "INSERT INTO store_bar (series_id, starts_at, open, high, low, close, volume, vwap, trade_count, batch_id) \
             SELECT series_id, to_timestamp(1710086400), open, high, low, close, volume, vwap, trade_count, batch_id \
             FROM store_bar LIMIT 1",
            "UPDATE store_bar SET volume = 1e-300 WHERE starts_at = to_timestamp(1710169200)",
        ],
    } {
        scene.execute(statement).await;
    }
    let report = orchestrator.repair(Repair::DryRun).await.unwrap();
    let count = |wrong: Wrong| report.wrong.iter().filter(|bar| bar.wrong == wrong).count();
    assert!(count(Wrong::Doubled) > 3, "{report:?}");
    assert_eq!((count(Wrong::OutOfSession), count(Wrong::Impossible), report.withdrawn), (1, 1, 0));
    let again = orchestrator.repair(Repair::DryRun).await.unwrap();
    assert_eq!(again.wrong, report.wrong, "a dry run changes nothing");

    let repaired = orchestrator.repair(Repair::Withdraw).await.unwrap();
    assert_eq!((repaired.withdrawn, &repaired.wrong), (report.wrong.len() as u64, &report.wrong));
    let left = orchestrator.repair(Repair::DryRun).await.unwrap();
    assert!(left.wrong.is_empty(), "{left:?}");
    // What was impossible is fetched again; what was too much is gone.
    let filled = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert_eq!((filled.complete, filled.bars_written), (true, 1));
    assert_eq!(bars_of(&*orchestrator.backend().store, &series, month()).await, before);
    let findings = orchestrator.backend().store.check().await.unwrap();
    assert!(findings.iter().all(|finding| finding.is_harmless()), "{findings:?}");
}
