//! What is asked of the vendor, and what is made of its refusals: F34, F36 to F39.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Market, RetryAfter};
use barkeep_orchestrator::catalog::Definition;
use barkeep_orchestrator::provider::Retrying;
use barkeep_orchestrator::types::{Feed, Timeframe};
use tests::{Kind, provider};

use super::{Stage, definition, on_both_databases};

on_both_databases!(
    f34_feed_adjustment_and_time_are_said_and_dots_survive,
    f37_a_refusal_for_haste_is_waited_out_and_costs_no_attempt,
    f38_an_outage_takes_four_requests_and_a_refusal_one,
    f39_each_refusal_has_a_code_of_its_own,
);

async fn f34_feed_adjustment_and_time_are_said_and_dots_survive(kind: Kind) {
    let stage = Stage::on(kind).await;
    let feed: Feed = "iex".parse().unwrap();
    assert!(stage.fill(&Definition { feed, ..definition(&["BRK.B"], Timeframe::D1) }).await.complete);
    let target = stage.simulator.served().swap_remove(0);
    for said in
        ["symbols=BRK.B", "feed=iex", "adjustment=raw", "timeframe=1Day", "start=2024-03-01T", "end=2024-03-29T"]
    {
        assert!(target.contains(said), "{target} does not say {said}");
    }
}

async fn f37_a_refusal_for_haste_is_waited_out_and_costs_no_attempt(kind: Kind) {
    let stage = Stage::on(kind).await;
    stage.simulator.inject(Injection::of(AnswerFault::TooManyRequests(RetryAfter::Seconds(1))).times(2));
    let started = Instant::now();
    let report = stage.fill(&definition(&["AAPL"], Timeframe::D1)).await;
    assert!(report.complete && started.elapsed() >= Duration::from_secs(2), "{report:?}");
    assert_eq!(stage.simulator.requests().total, 3, "no hot loop");
    assert_eq!(stage.scene.count("SELECT count(*) FROM queue_done WHERE failures > 0").await, 0);
}

async fn f38_an_outage_takes_four_requests_and_a_refusal_one(kind: Kind) {
    for (status, requests) in [(503, 4), (422, 1)] {
        let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
        let refusal = AnswerFault::Refusal(status, "out of order".into());
        simulator.inject(Injection::of(refusal).times(4));
        // As slow as 1, 2 and 4 seconds, but for the unit.
        let retrying = Retrying::new(provider(&simulator)).with_first_wait(Duration::from_millis(10));
        let stage = Stage::between(kind, simulator, retrying).await;
        stage.keep(&definition(&["AAPL"], Timeframe::D1)).await;
        let report = stage.fill(&definition(&["AAPL"], Timeframe::D1)).await;
        let seen = stage.simulator.requests().faults;
        assert_eq!((seen, report.complete), (requests, status == 503), "{report:?}");
    }
}

async fn f39_each_refusal_has_a_code_of_its_own(kind: Kind) {
    let refusals = [
        (
            AnswerFault::Refusal(403, "subscription does not permit querying recent SIP data".into()),
            "PERMISSION_DENIED",
        ),
        (AnswerFault::Status(404), "SYMBOL_NOT_FOUND"),
        (AnswerFault::Refusal(422, "bad window".into()), "VALIDATION_ERROR"),
        (AnswerFault::Refusal(400, "invalid symbol: AAPL".into()), "INVALID_SYMBOL"),
        (AnswerFault::Status(503), "SERVICE_UNAVAILABLE"),
        (AnswerFault::InvalidJson, "BAD_RESPONSE"),
        (AnswerFault::DeepNesting(10_000), "BAD_RESPONSE"),
    ];
    let mut codes = BTreeSet::new();
    for (refusal, code) in refusals {
        let stage = Stage::on(kind).await;
        stage.simulator.inject(Injection::of(refusal.clone()).times(usize::MAX));
        let report = stage.fill(&definition(&["AAPL"], Timeframe::D1)).await;
        let told: Vec<_> = report.failed.iter().map(|unfilled| unfilled.code.as_str()).collect();
        assert_eq!(told, [code], "{refusal:?}: {report:?}");
        codes.insert(code);
    }
    assert_eq!(codes.len(), 6);
}
