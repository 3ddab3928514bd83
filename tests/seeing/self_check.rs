//! What cannot work fails before anything is claimed.

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::types::Timeframe;
use barkeep_orchestrator::{Error, Orchestrator};
use tests::{Child, Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::{definition, enable, on_both_databases, orchestrator, provider_with, quick, simulator};

on_both_databases!(
    f58_a_wrong_key_fails_before_any_claim,
    f58_a_vendor_that_is_somebody_else_fails_before_any_claim,
    f58_a_vendor_that_is_out_of_order_is_no_reason_not_to_start,
);

async fn f58_a_wrong_key_fails_before_any_claim(kind: Kind) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_keys("key", "right").start().await.unwrap();
    let backend = scene.backend().await;
    enable(&backend, &definition(Timeframe::D1)).await;
    let orchestrator =
        Orchestrator::with_settings(provider_with(&simulator, "key", "canary"), Nyse, backend.clone(), quick());
    orchestrator.tick().await.unwrap();
    let waiting = backend.inspect.live("slice").await.unwrap();
    let error = orchestrator.run(&CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    assert_eq!((error.code(), simulator.requests().total), ("AUTHENTICATION_ERROR", 1));
    assert_eq!(backend.inspect.live("slice").await.unwrap(), waiting, "nothing was claimed");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

async fn f58_a_vendor_that_is_somebody_else_fails_before_any_claim(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    simulator.inject(Injection::of(AnswerFault::Redirect("http://127.0.0.1:9/".into())));
    let orchestrator = orchestrator(&scene, &simulator, quick()).await;
    let error = orchestrator.run(&CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Vendor(_)), "{error}");
    assert_eq!(orchestrator.status().await.unwrap().slices.live(), 0);
}

async fn f58_a_vendor_that_is_out_of_order_is_no_reason_not_to_start(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    simulator.inject(Injection::of(AnswerFault::Status(503)));
    let orchestrator = orchestrator(&scene, &simulator, quick()).await;
    orchestrator.self_check().await.unwrap();
    orchestrator.self_check().await.unwrap();
    assert_eq!((simulator.requests().total, orchestrator.snapshot().totals.requests), (2, 2), "they are counted");
}

#[tokio::test]
async fn f58_missing_credentials_are_named_before_the_database_is_touched() {
    let scene = Scene::on(Kind::Sqlite).await;
    let outcome = Child::start(env!("CARGO_BIN_EXE_backfill"), &["--live", "--database", scene.url()]).end().await;
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("APCA_API_KEY_ID"), "{outcome:?}");
    assert!(!std::path::Path::new(scene.url().trim_start_matches("sqlite://")).exists());
}

#[tokio::test]
async fn with_nothing_to_fetch_no_request_is_made() {
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    orchestrator.self_check().await.unwrap();
    assert_eq!(simulator.requests().total, 0);
}
