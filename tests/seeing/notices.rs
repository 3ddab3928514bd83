//! Notices arrive, once, signed, through a real socket.

use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::Orchestrator;
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::notifications::{Notice, NoticeState, Reminders, Webhook};
use barkeep_orchestrator::types::Timeframe;
use tests::{Kind, Scene};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{definition, enable, on_both_databases, provider_with, quick};

on_both_databases!(f54_a_failure_is_told_once_and_without_secrets);

async fn f54_a_failure_is_told_once_and_without_secrets(kind: Kind) {
    let scene = Scene::on(kind).await;
    let simulator = AlpacaSim::options().with_market(Market::new(1)).with_keys("key", "right").start().await.unwrap();
    let receiver = MockServer::start().await;
    // The first time it is out of order, and the notice is kept for it.
    let out_of_order = ResponseTemplate::new(503);
    Mock::given(method("POST")).respond_with(out_of_order).up_to_n_times(1).mount(&receiver).await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&receiver).await;

    let backend = scene.backend().await;
    enable(&backend, &definition(Timeframe::D1)).await;
    let provider = provider_with(&simulator, "canary-key", "canary-secret");
    let orchestrator = Orchestrator::with_settings(provider, Nyse, backend, quick());
    let webhook = Webhook::options(receiver.uri(), "canary-hmac").allow_private_addresses();
    let webhook = webhook.with_retries(0, Duration::ZERO).build().unwrap();
    let told = CancellationToken::new();
    let run = async {
        orchestrator.run(&CancellationToken::new()).await.unwrap_err();
        while receiver.received_requests().await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Time for many more reviews.
        tokio::time::sleep(Duration::from_millis(300)).await;
        told.cancel();
    };
    let reminders = Reminders::every(Duration::from_secs(3600));
    tokio::join!(run, orchestrator.notify(&webhook, reminders, &told));

    let requests = receiver.received_requests().await.unwrap();
    let notices: Vec<Notice> = requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    let rules: Vec<&str> = notices.iter().map(|notice| notice.concern.rule.as_str()).collect();
    assert_eq!(rules, ["AuthFailed", "AuthFailed"], "refused once, delivered once");
    assert_eq!((notices[1].state, notices[1].since), (NoticeState::Firing, notices[0].since));
    for request in &requests {
        let text = format!("{:?} {}", request.headers, String::from_utf8_lossy(&request.body));
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("barkeep-signature"));
    }
}
