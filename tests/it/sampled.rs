//! Settled time that is asked for again as a sample, and what a vendor revised late.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Listing, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::store::State;
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Clock, Orchestrator, Settings, TickNote};
use chrono::{DateTime, TimeDelta, Utc};
use tests::{Kind, Scene, bars_of, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

on_both_databases!(
    a_late_revision_is_found_within_a_week_where_all_is_asked_for_again,
    a_share_of_what_is_settled_is_asked_for_again_and_none_where_it_is_off,
);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn window() -> TimeRange {
    TimeRange::new(at("2022-01-03T05:00:00Z"), at("2024-03-01T05:00:00Z")).unwrap()
}

fn definition() -> Definition {
    Definition::new("some", vec!["HOLE".parse().unwrap()], vec![Timeframe::H1], Window::Fixed(window()))
}

/// When everything begins, and when the vendor adds a bar that it lacked before.
const BEGIN: &str = "2024-04-01T12:00:00Z";
const MENDED: &str = "2024-04-02T00:00:00Z";

fn hole() -> TimeRange {
    TimeRange::new(at("2023-03-14T15:00:00Z"), at("2023-03-14T16:00:00Z")).unwrap()
}

async fn vendor() -> AlpacaSim {
    let listing = Listing::new("HOLE".parse().unwrap()).with_hole(hole(), at(MENDED));
    let market = Market::empty(1).with_listing(listing);
    AlpacaSim::options().with_market(market).with_now(at(BEGIN)).start().await.unwrap()
}

async fn orchestrator(scene: &Scene, simulator: &AlpacaSim, per_thousand: u32, now: DateTime<Utc>) -> Orchestrator {
    simulator.set_now(now);
    let settings = Settings::default().with_reverify_per_thousand(per_thousand).with_clock(Clock::Fixed(now));
    Orchestrator::with_settings(provider(simulator), Nyse, scene.backend().await, settings)
}

/// Runs unattended for one tick, and until what it planned is done.
async fn one_tick(orchestrator: &Orchestrator) -> TickNote {
    let before = orchestrator.look().await.tick.map(|tick| tick.at);
    let stop = CancellationToken::new();
    let ticked = async {
        loop {
            let backend = orchestrator.backend();
            let vitals = backend.watch.vitals(barkeep_orchestrator::SliceJob::KIND).await.unwrap();
            let has_ticked = vitals.beat("tick").is_some_and(|beat| Some(beat.at) != before);
            if has_ticked && vitals.counts.live() == 0 {
                stop.cancel();
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (ran, ()) = tokio::join!(orchestrator.run(&stop), ticked);
    ran.unwrap();
    let vitals = orchestrator.backend().watch.vitals(barkeep_orchestrator::SliceJob::KIND).await.unwrap();
    serde_json::from_value(vitals.beat("tick").unwrap().note.clone()).unwrap()
}

/// Fills all, and then runs unattended for a tick a day; returns how many pieces each day asked for again.
async fn days(scene: &Scene, simulator: &AlpacaSim, per_thousand: u32, days: i64) -> Vec<u64> {
    let first = orchestrator(scene, simulator, per_thousand, at(BEGIN)).await;
    let stop = CancellationToken::new();
    first.backend().catalog.upsert(&definition(), Narrowing::Refuse).await.unwrap();
    assert!(first.backfill(&[definition()], &stop).await.unwrap().complete);
    let series = definition().series().next().unwrap();
    assert_eq!(bars_of(&*first.backend().store, &series, hole()).await, [], "the vendor lacks it as yet");
    let mut reverified = Vec::new();
    for day in 0..=days {
        let now = at(BEGIN) + TimeDelta::days(day);
        reverified.push(one_tick(&orchestrator(scene, simulator, per_thousand, now).await).await.reverified);
        let waiting = orchestrator(scene, simulator, per_thousand, now).await;
        let again = waiting.backfill(&[definition()], &stop).await.unwrap();
        assert_eq!((again.complete, again.requests), (true, 0), "who waits for the end is given no sample");
    }
    reverified
}

async fn a_late_revision_is_found_within_a_week_where_all_is_asked_for_again(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, vendor().await);
    let backend = scene.backend().await;
    let series = definition().series().next().unwrap();
    let reverified = days(&scene, &simulator, 1000, 14).await;
    assert_eq!(reverified[0], 0, "it begins with the first tick");
    assert!(reverified.iter().sum::<u64>() >= 26, "each of the pieces: {reverified:?}");
    let late = bars_of(&*backend.store, &series, hole()).await;
    assert_eq!((late.len(), &late), (1, &simulator.market().truth(&series, hole())), "the bar that came late is there");
    let spans = backend.store.coverage(std::slice::from_ref(&series), window()).await.unwrap().remove(0);
    assert!(spans.len() <= 2 && spans.iter().all(|span| span.state == State::Covered), "in one again: {spans:?}");
}

async fn a_share_of_what_is_settled_is_asked_for_again_and_none_where_it_is_off(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, vendor().await);
    let reverified: u64 = days(&scene, &simulator, 200, 28).await.iter().sum();
    let expected = 27 * 4 / 5;
    assert!((expected / 2..=expected * 2).contains(&reverified), "{reverified} of about {expected} in four weeks");
    let requests = simulator.requests().bars;
    let off = orchestrator(&scene, &simulator, 0, at(BEGIN) + TimeDelta::days(34)).await;
    assert_eq!(one_tick(&off).await.reverified, 0);
    // The first request of who begins to run is for the vendor's answer alone.
    assert!(simulator.requests().bars <= requests + 1);
}
