//! Bars that are built from stored ones equal those that the vendor would have sent.

use barkeep_alpaca_sim::{AlpacaSim, Listing, Market};
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::types::{Bar, TimeRange, Timeframe};
use barkeep_orchestrator::{Clock, Orchestrator, Settings, SliceJob};
use chrono::{DateTime, Utc};
use tests::{Kind, Scene, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    derived_bars_equal_the_vendors_own_and_their_source_is_asked_for_once,
    bars_are_derived_only_where_their_source_is_covered,
    what_was_built_from_bars_that_changed_is_built_anew,
);

const COARSE: [Timeframe; 5] = [Timeframe::M5, Timeframe::M15, Timeframe::M30, Timeframe::H1, Timeframe::H4];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn week() -> TimeRange {
    TimeRange::new(at("2024-03-04T05:00:00Z"), at("2024-03-09T05:00:00Z")).unwrap()
}

fn definition(symbols: &[&str], timeframes: &[Timeframe]) -> Definition {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    let definition = Definition::new("built", symbols, timeframes.to_vec(), Window::Fixed(week()));
    Definition { derive_from: Some(Timeframe::M1), ..definition }
}

/// But for the last digit of the mean, which depends on the order of summing.
fn assert_same(built: &[Bar], sent: &[Bar], what: &str) {
    assert_eq!(built.len(), sent.len(), "{what}");
    for (built, sent) in built.iter().zip(sent) {
        assert_eq!(Bar { vwap: None, ..*built }, Bar { vwap: None, ..*sent }, "{what}");
        let (mean, other) = (built.vwap.unwrap(), sent.vwap.unwrap());
        assert!((mean - other).abs() <= 1e-6 * other, "{what}: {mean} {other}");
    }
}

async fn assert_built(orchestrator: &Orchestrator, market: &Market, definition: &Definition) {
    let mut compared = 0;
    for series in definition.series().filter(|series| definition.is_derived(series.timeframe)) {
        for span in Nyse.spans(series.timeframe, definition.hours, week()) {
            let built = bars_of(&*orchestrator.backend().store, &series, span).await;
            let sent = market.truth(&series, span);
            assert_same(&built, &sent, &format!("{series} {span}"));
            compared += built.len();
        }
    }
    assert!(compared >= 100, "{compared}");
}

async fn derived_bars_equal_the_vendors_own_and_their_source_is_asked_for_once(kind: Kind) {
    let scene = Scene::on(kind).await;
    let market = Market::new(1).with_listing(Listing::new("THIN".parse().unwrap()).with_liquidity(0.05));
    let simulator = AlpacaSim::options().with_market(market).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let all = definition(&["AAPL", "THIN"], &[&COARSE[..], &[Timeframe::D1]].concat());
    let stop = CancellationToken::new();
    let report = orchestrator.backfill(std::slice::from_ref(&all), &stop).await.unwrap();
    assert!(report.complete && report.failed.is_empty(), "{report:?}");
    let asked = simulator.served();
    assert!(asked.iter().all(|url| url.contains("timeframe=1Min") || url.contains("timeframe=1Day")), "{asked:?}");
    assert_eq!(asked.len() as u64, report.requests);
    assert_built(&orchestrator, simulator.market(), &all).await;
    let again = orchestrator.backfill(&[all], &stop).await.unwrap();
    assert_eq!((again.complete, again.slices, again.requests), (true, 0, 0));
}

async fn bars_are_derived_only_where_their_source_is_covered(kind: Kind) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    // Of Tuesday there are the minutes from 15:10 on: neither the whole hour of 15:00, nor any of the four of 12:00.
    let part = TimeRange::new(at("2024-03-05T15:10:00Z"), at("2024-03-05T21:00:00Z")).unwrap();
    let minutes =
        Definition { name: "minutes".into(), window: Window::Fixed(part), ..definition(&["AAPL"], &[Timeframe::M1]) };
    assert!(orchestrator.backfill(&[minutes], &CancellationToken::new()).await.unwrap().complete);
    let hours = definition(&["AAPL"], &[Timeframe::H1, Timeframe::H4]);
    orchestrator.backend().catalog.upsert(&hours, Narrowing::Refuse).await.unwrap();
    orchestrator.tick().await.unwrap();
    let live = orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap();
    let built: Vec<SliceJob> =
        live.iter().map(|job| SliceJob::read(&job.payload).unwrap()).filter(|slice| slice.source.is_some()).collect();
    let ranges: Vec<_> = built.iter().map(|slice| (slice.timeframe, slice.range.start(), slice.range.end())).collect();
    let expected = [
        (Timeframe::H1, at("2024-03-05T16:00:00Z"), at("2024-03-05T21:00:00Z")),
        (Timeframe::H4, at("2024-03-05T16:00:00Z"), at("2024-03-05T20:00:00Z")),
    ];
    assert_eq!(ranges, expected);
}

async fn what_was_built_from_bars_that_changed_is_built_anew(kind: Kind) {
    let (scene, stop) = (Scene::on(kind).await, CancellationToken::new());
    let (hole, mended) =
        (TimeRange::new(at("2024-03-06T15:00:00Z"), at("2024-03-06T17:00:00Z")).unwrap(), at("2024-04-01T00:00:00Z"));
    let market = Market::empty(1).with_listing(Listing::new("AAPL".parse().unwrap()).with_hole(hole, mended));
    let simulator =
        AlpacaSim::options().with_market(market).with_now(at("2024-03-20T12:00:00Z")).start().await.unwrap();
    let settings = Settings::default().with_clock(Clock::Fixed(at("2024-03-20T12:00:00Z")));
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, scene.backend().await, settings);
    let built = definition(&["AAPL"], &[Timeframe::M30, Timeframe::H1]);
    assert!(orchestrator.backfill(std::slice::from_ref(&built), &stop).await.unwrap().complete);
    let hours = built.series().nth(1).unwrap();
    assert!(bars_of(&*orchestrator.backend().store, &hours, hole).await.is_empty());

    simulator.set_now(at("2024-05-01T00:00:00Z"));
    let minutes = barkeep_orchestrator::types::Series { timeframe: Timeframe::M1, ..hours.clone() };
    orchestrator.backend().store.suspect(&minutes, hole).await.unwrap();
    assert!(orchestrator.backfill(std::slice::from_ref(&built), &stop).await.unwrap().complete);
    assert_eq!(bars_of(&*orchestrator.backend().store, &hours, hole).await.len(), 2);
    assert_built(&orchestrator, simulator.market(), &built).await;
}
