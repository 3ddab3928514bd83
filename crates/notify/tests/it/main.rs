//! The webhook against a real socket.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::Duration;

use barkeep_notify::{Concern, Error, Notice, NoticeState, Notifier, Severity, Webhook, WebhookOptions};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SECRET: &str = "canary-secret";

fn notice() -> Notice {
    let concern = Concern {
        rule: "DeadJobs".into(),
        subject: "march".into(),
        severity: Severity::Ticket,
        reason: "2 slices failed for good".into(),
        first_action: "read why, then retry".into(),
    };
    let at = "2026-11-22T12:00:00Z".parse().unwrap();
    Notice { state: NoticeState::Firing, concern, since: at, at, source: "host-1".into() }
}

fn webhook(server: &MockServer) -> WebhookOptions {
    let url = format!("{}/hook/canary-path", server.uri());
    Webhook::options(url, SECRET).allow_private_addresses().with_retries(3, Duration::from_millis(1))
}

async fn answering(answers: &[(u16, u64)]) -> MockServer {
    let server = MockServer::start().await;
    for (status, times) in answers {
        let answer = ResponseTemplate::new(*status).insert_header("location", "/elsewhere");
        Mock::given(method("POST"))
            .and(path("/hook/canary-path"))
            .respond_with(answer)
            .up_to_n_times(*times)
            .mount(&server)
            .await;
    }
    server
}

async fn received(server: &MockServer) -> Vec<wiremock::Request> {
    server.received_requests().await.unwrap()
}

#[tokio::test]
async fn a_notice_arrives_signed_and_without_the_secret() {
    let server = MockServer::start().await;
    let hook =
        Mock::given(method("POST")).and(path("/hook/canary-path")).and(header("content-type", "application/json"));
    hook.and(header("barkeep-timestamp", "1795348800"))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    webhook(&server).build().unwrap().notify(&notice()).await.unwrap();
    let requests = received(&server).await;
    assert_eq!(serde_json::from_slice::<Notice>(&requests[0].body).unwrap(), notice());
    let signature = requests[0].headers["barkeep-signature"].to_str().unwrap();
    assert!(signature.starts_with("v1=") && signature.len() == 3 + 64, "{signature}");
    assert!(!String::from_utf8_lossy(&requests[0].body).contains("canary"));
}

#[tokio::test]
async fn a_receiver_that_is_out_of_order_is_tried_again() {
    let server = answering(&[(503, 1), (429, 1), (200, 1)]).await;
    webhook(&server).build().unwrap().notify(&notice()).await.unwrap();
    assert_eq!(received(&server).await.len(), 3);
}

#[tokio::test]
async fn retries_come_to_an_end() {
    let server = answering(&[(500, 99)]).await;
    let error = webhook(&server).build().unwrap().notify(&notice()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert_eq!(received(&server).await.len(), 4);
}

#[tokio::test]
async fn refusals_and_redirects_are_final_and_lead_nowhere() {
    for status in [302, 307, 400, 404] {
        let server = answering(&[(status, 99)]).await;
        let error = webhook(&server).build().unwrap().notify(&notice()).await.unwrap_err();
        assert!(matches!(error, Error::Refused { status: told } if told == status), "{error}");
        let requests = received(&server).await;
        assert_eq!((requests.len(), requests[0].url.path()), (1, "/hook/canary-path"), "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_given_up() {
    let server = MockServer::start().await;
    let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(method("POST")).respond_with(never).mount(&server).await;
    let webhook = webhook(&server).with_timeout(Duration::from_millis(100)).with_retries(0, Duration::ZERO);
    let error = webhook.build().unwrap().notify(&notice()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn private_addresses_are_not_called_unless_allowed() {
    for host in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "[::1]", "[fd00::1]", "localhost", "0.0.0.0"]
    {
        let refused = Webhook::options(format!("https://{host}/hook"), SECRET).build();
        assert!(matches!(refused, Err(Error::Setup(_))), "{host}");
        assert!(Webhook::options(format!("https://{host}/hook"), SECRET).allow_private_addresses().build().is_ok());
    }
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for url in ["http://example.com/hook", "http://10.0.0.1/hook", "ftp://127.0.0.1/", "file:///etc/passwd", "hook", ""]
    {
        let refused = Webhook::options(url, SECRET).allow_private_addresses().build();
        assert!(matches!(refused, Err(Error::Setup(_))), "{url}");
    }
    let local = Webhook::options("http://127.0.0.1/hook", SECRET);
    assert!(matches!(local.clone().build(), Err(Error::Setup(_))));
    assert!(local.allow_private_addresses().build().is_ok());
    assert!(matches!(Webhook::options("https://example.com/", "").build(), Err(Error::Setup(_))));
}

#[tokio::test]
async fn neither_the_secret_nor_the_path_is_shown() {
    let options = Webhook::options("https://localhost:1/canary-path?canary", SECRET).allow_private_addresses();
    let options = options.with_retries(0, Duration::ZERO);
    let webhook = options.clone().build().unwrap();
    let error = webhook.notify(&notice()).await.unwrap_err();
    let shown = format!("{options:?} {webhook:?} {error:?} {error}");
    assert!(!shown.contains("canary"), "{shown}");
}
