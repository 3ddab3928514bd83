//! Answers that are kept: the same bytes, and all around them as always.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Listing, Market, NumberFault, Options, Plan};
use barkeep_types::TimeRange;
use chrono::{DateTime, Utc};

use crate::http::{get, get_with};

const MINUTES: &str = "/v2/stocks/bars?symbols=AA&timeframe=1Min&start=2024-03-05T15:00:00Z&end=2024-03-05T16:00:00Z";

/// A clock that the test moves, unknown to the simulator.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(instant: &str) -> Self {
        let hand = Self(Arc::default());
        hand.set(instant);
        hand
    }

    fn set(&self, instant: &str) {
        self.0.store(instant.parse::<DateTime<Utc>>().unwrap().timestamp(), Ordering::SeqCst);
    }

    fn options(&self) -> Options {
        let hand = self.clone();
        let clock = move || DateTime::from_timestamp_secs(hand.0.load(Ordering::SeqCst)).unwrap();
        AlpacaSim::options().with_market(market()).with_clock(clock)
    }
}

/// A name that lacks half an hour until the vendor mends it: what tells an answer that was kept from a new one.
fn market() -> Market {
    let at = |instant: &str| instant.parse().unwrap();
    let hole = TimeRange::new(at("2024-03-05T15:00:00Z"), at("2024-03-05T15:30:00Z")).unwrap();
    Market::empty(3).with_listing(Listing::new("AA".parse().unwrap()).with_hole(hole, at("2024-06-03T12:00:00Z")))
}

async fn first_minute(sim: &AlpacaSim) -> String {
    get(sim, MINUTES).await.json()["bars"]["AA"][0]["t"].as_str().unwrap()[11..16].to_owned()
}

#[tokio::test]
async fn an_answer_is_kept_for_the_day_where_asked() {
    for (keep, later) in [(true, "15:30"), (false, "15:00")] {
        let hand = Hand::at("2024-06-03T11:00:00Z");
        let sim = hand.options().with_answers_kept(keep).start().await.unwrap();
        assert_eq!(first_minute(&sim).await, "15:30");
        hand.set("2024-06-03T13:00:00Z");
        assert_eq!(first_minute(&sim).await, later, "kept: {keep}");
        hand.set("2024-06-04T04:00:00Z");
        assert_eq!(first_minute(&sim).await, "15:00", "a new day in New York");
    }
}

#[tokio::test]
async fn what_is_kept_is_forgotten_when_the_time_is_moved() {
    let at = |instant: &str| instant.parse().unwrap();
    let options = AlpacaSim::options().with_market(market()).with_now(at("2024-06-03T11:00:00Z"));
    let sim = options.with_answers_kept(true).start().await.unwrap();
    assert_eq!(first_minute(&sim).await, "15:30");
    sim.set_now(at("2024-06-03T12:00:00Z"));
    assert_eq!(first_minute(&sim).await, "15:00");
}

#[tokio::test]
async fn what_may_still_change_is_not_kept() {
    let open_end = "/v2/stocks/bars?symbols=AA&timeframe=1Min&start=2024-03-05T15:30:00Z";
    let settling = format!("{open_end}&end=2024-03-05T16:00:00Z");
    let running_day = "/v2/stocks/bars?symbols=AA&timeframe=1Day&start=2024-03-05&end=2024-03-05T06:00:00Z";
    for (target, early, late) in [
        (open_end, "2024-03-05T17:00:00Z", "2024-03-05T18:00:00Z"),
        (&settling, "2024-03-05T16:10:00Z", "2024-03-05T16:16:00Z"),
        (running_day, "2024-03-05T17:00:00Z", "2024-03-05T18:00:00Z"),
    ] {
        let hand = Hand::at(early);
        let sim = hand.options().with_answers_kept(true).start().await.unwrap();
        let first = get(&sim, target).await.body;
        hand.set(late);
        assert_ne!(get(&sim, target).await.body, first, "{target}");
    }
}

#[tokio::test]
async fn kept_bodies_are_those_that_would_be_made() {
    let kept = AlpacaSim::options().with_answers_kept(true).start().await.unwrap();
    let made = AlpacaSim::options().start().await.unwrap();
    let paths = ["/v2/stocks/bars?symbols=AAPL,MSFT", "/v2/stocks/MSFT/bars?adjustment=all"];
    let keys = ["APCA-API-KEY-ID: key", "APCA-API-SECRET-KEY: secret", "Accept-Encoding: gzip"];
    for path in paths {
        let target = format!("{path}&timeframe=1Hour&start=2024-03-04&end=2024-03-08");
        for headers in [&keys[..2], &keys[..], &keys[..2], &keys[..]] {
            let [kept, made] = [get_with(&kept, &target, headers).await, get_with(&made, &target, headers).await];
            let encoding = (headers.len() == 3).then_some("gzip");
            assert_eq!((kept.header("Content-Encoding"), made.header("Content-Encoding")), (encoding, encoding));
            assert_eq!(kept.body, made.body, "{target} {encoding:?}");
            assert_eq!(kept.header("Content-Length"), made.header("Content-Length"));
        }
    }
}

#[tokio::test]
async fn around_a_kept_body_all_is_as_always() {
    let hand = Hand::at("2024-06-03T11:00:00Z");
    let plan = Plan::BASIC.with_requests_a_minute(5);
    let sim = hand.options().with_plan(plan).with_answers_kept(true).start().await.unwrap();
    let first = get(&sim, MINUTES).await;
    hand.set("2024-06-03T11:00:07Z");
    let again = get(&sim, MINUTES).await;
    assert_eq!(first.body, again.body);
    assert_ne!(first.header("X-Request-ID"), again.header("X-Request-ID"));
    let told = |name| (first.header(name).unwrap(), again.header(name).unwrap());
    assert_eq!(told("Date"), ("Mon, 03 Jun 2024 11:00:00 GMT", "Mon, 03 Jun 2024 11:00:07 GMT"));
    assert_eq!(told("X-RateLimit-Remaining"), ("4", "3"));

    sim.inject(AnswerFault::Status(503));
    assert_eq!(get(&sim, MINUTES).await.status, 503);
    sim.inject(NumberFault::NotANumber);
    assert!(get(&sim, MINUTES).await.body.windows(3).any(|word| word == b"NaN"));
    assert_eq!(get(&sim, MINUTES).await.body, first.body, "what a fault made is not kept");
    assert_eq!(get(&sim, MINUTES).await.status, 429);
    let requests = sim.requests();
    assert_eq!((requests.total, requests.bars, requests.faults, requests.limited), (6, 3, 2, 1));
    assert_eq!(sim.served(), [MINUTES; 3]);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let hand = Hand::at("2024-03-05T16:10:00Z");
    let sim = hand.options().with_plan(Plan::BASIC).with_answers_kept(true).start().await.unwrap();
    assert_eq!(get(&sim, MINUTES).await.status, 403);
    hand.set("2024-03-05T16:15:00Z");
    assert_eq!(get(&sim, MINUTES).await.status, 200);
}
