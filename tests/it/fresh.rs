//! What may still change is fetched again once it cannot, and what was rewritten too.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Listing, Market};
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::store::State;
use barkeep_orchestrator::types::{Adjustment, Hours, Symbol, TimeRange, Timeframe};
use barkeep_orchestrator::{Clock, Orchestrator, Settings};
use chrono::{DateTime, Days, TimeDelta, Utc};
use tests::{Kind, Scene, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    f42_only_todays_bars_are_provisional_and_they_are_fetched_again_once_settled,
    f13_an_empty_answer_is_asked_for_again_and_then_final,
    series_that_a_split_rewrote_are_fetched_anew,
);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn span(start: &str, end: &str) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

async fn orchestrator(scene: &Scene, simulator: &AlpacaSim, settings: Settings) -> Orchestrator {
    Orchestrator::with_settings(provider(simulator), Nyse, scene.backend().await, settings)
}

async fn f42_only_todays_bars_are_provisional_and_they_are_fetched_again_once_settled(kind: Kind) {
    let (monday_noon, tuesday_morning) = (at("2024-03-11T18:00:00Z"), at("2024-03-12T09:00:00Z"));
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_now(monday_noon);
    // What is younger than half a day is told otherwise later.
    let simulator = simulator.with_settling(Duration::from_secs(12 * 3600)).start().await.unwrap();
    let (window, stop) = (span("2024-03-08T00:00:00Z", "2024-03-12T00:00:00Z"), CancellationToken::new());
    let definition = Definition::new("a", vec!["AAPL".parse().unwrap()], vec![Timeframe::M15], Window::Fixed(window));
    let series = definition.series().next().unwrap();

    let today = orchestrator(&scene, &simulator, Settings::default().with_clock(Clock::Fixed(monday_noon))).await;
    let first = today.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(first.complete && first.bars_revised == 0, "{first:?}");
    let spans =
        today.backend().store.coverage(std::slice::from_ref(&series), TimeRange::ALWAYS).await.unwrap().remove(0);
    let states: Vec<_> = spans.iter().map(|span| (span.range.end() > at("2024-03-11T08:00:00Z"), span.state)).collect();
    assert_eq!(states, [(false, State::Covered), (true, State::Provisional)], "{spans:?}");
    let again = today.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert_eq!(again.requests, 0, "what is provisional is there for now");

    simulator.set_now(tuesday_morning);
    let settings = Settings::default().with_clock(Clock::Fixed(tuesday_morning));
    let tomorrow = orchestrator(&scene, &simulator, settings).await;
    let settled = tomorrow.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(settled.complete && settled.bars_revised > 0, "late revisions are counted: {settled:?}");
    let spans =
        today.backend().store.coverage(std::slice::from_ref(&series), TimeRange::ALWAYS).await.unwrap().remove(0);
    let session = span("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z");
    let of_today = spans.iter().find(|span| span.range.covers(&session)).map(|span| span.state);
    assert_eq!(of_today, Some(State::Covered), "{spans:?}");
    for session in Nyse.spans(Timeframe::M15, Hours::Regular, window) {
        let stored = bars_of(&*today.backend().store, &series, session).await;
        assert_eq!(stored, simulator.market().truth_at(&series, session, tuesday_morning));
    }
    assert_eq!(tomorrow.backfill(&[definition], &stop).await.unwrap().requests, 0);
}

async fn f13_an_empty_answer_is_asked_for_again_and_then_final(kind: Kind) {
    let scene = Scene::on(kind).await;
    let listed = chrono::NaiveDate::from_ymd_opt(2024, 6, 3).unwrap();
    let market = Market::empty(1).with_listing(Listing::new("LATE".parse().unwrap()).listed_from(listed));
    let simulator = AlpacaSim::options().with_market(market).start().await.unwrap();
    let window = span("2024-03-01T05:00:00Z", "2024-03-30T04:00:00Z");
    let definition = Definition::new("a", vec!["LATE".parse().unwrap()], vec![Timeframe::D1], Window::Fixed(window));
    let series = definition.series().next().unwrap();
    let stop = CancellationToken::new();

    let patient = orchestrator(&scene, &simulator, Settings::default()).await;
    assert!(patient.backfill(std::slice::from_ref(&definition), &stop).await.unwrap().complete);
    assert_eq!(simulator.requests().bars, 1, "not before a day has passed");

    let settings = Settings::default().with_recheck_after(TimeDelta::zero());
    let impatient = orchestrator(&scene, &simulator, settings).await;
    impatient.backend().catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    let report = impatient.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(report.complete && report.bars_written == 0, "{report:?}");
    assert_eq!(simulator.requests().bars, 2, "once more, and no more");
    let spans = impatient.backend().store.coverage(&[series], TimeRange::ALWAYS).await.unwrap().remove(0);
    assert_eq!((spans.len(), spans[0].state, spans[0].rows, spans[0].empty_checks), (1, State::Covered, 0, 2));
    assert_eq!(impatient.tick().await.unwrap().rechecked, 0);
}

async fn series_that_a_split_rewrote_are_fetched_anew(kind: Kind) {
    let scene = Scene::on(kind).await;
    let today = Clock::host_now().with_timezone(&chrono_tz::America::New_York).date_naive();
    let symbols: [Symbol; 2] = ["CALM", "SPLIT"].map(|symbol| symbol.parse().unwrap());
    let market = Market::empty(1)
        .with_listing(Listing::new(symbols[0].clone()))
        .with_listing(Listing::new(symbols[1].clone()).with_split(today, 4.0, 1.0));
    let days_ago = |days| Clock::host_now() - TimeDelta::days(days);
    let simulator = AlpacaSim::options().with_market(market).with_now(days_ago(2)).start().await.unwrap();
    let window = TimeRange::new(days_ago(60), days_ago(10)).unwrap();
    let definition = Definition {
        adjustment: Adjustment::SPLIT,
        ..Definition::new("adjusted", symbols.to_vec(), vec![Timeframe::D1], Window::Fixed(window))
    };
    let stop = CancellationToken::new();
    let orchestrator = orchestrator(&scene, &simulator, Settings::default()).await.with_reference(provider(&simulator));
    let first = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(first.complete && first.bars_revised == 0, "{first:?}");

    // The bars were fetched two days ago; the split happens.
    scene
        .execute(match kind {
            Kind::Sqlite => "UPDATE store_coverage SET fetched_at = fetched_at - 172800",
            Kind::Postgres => "UPDATE store_coverage SET fetched_at = fetched_at - interval '2 days'",
        })
        .await;
    simulator.set_now(Clock::host_now() + Days::new(1));
    let orchestrator =
        self::orchestrator(&scene, &simulator, Settings::default()).await.with_reference(provider(&simulator));
    orchestrator.backend().catalog.upsert(&definition, Narrowing::Refuse).await.unwrap();
    let report = orchestrator.tick().await.unwrap();
    assert_eq!((report.rewritten, report.gaps, report.errors.len()), (1, 1, 0), "{report:?}");
    let second = orchestrator.backfill(std::slice::from_ref(&definition), &stop).await.unwrap();
    assert!(second.complete && second.bars_revised > 20, "{second:?}");
    for series in definition.series() {
        let stored = bars_of(&*orchestrator.backend().store, &series, window).await;
        assert_eq!(stored, simulator.market().truth_at(&series, window, Clock::host_now() + Days::new(1)), "{series}");
    }
    assert_eq!(orchestrator.tick().await.unwrap().rewritten, 0);
}
