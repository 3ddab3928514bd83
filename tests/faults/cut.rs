//! The wire to PostgreSQL is cut, or falls silent. Whatever became of the transaction, the program finds out and goes on.

use std::time::Duration;

use barkeep_alpaca_sim::WireFault;
use tests::{COMMIT, COPY_DATA, Cut, Kind, Proxy, Scene, Vendor};

use crate::{WEEKS, all_is_well, start_to};

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_copy() {
    cut(Cut::InTheMiddleOf(COPY_DATA)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_commit_is_answered() {
    cut(Cut::BeforeTheAnswerTo(COMMIT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_heartbeat_or_a_completion_is_answered() {
    cut(Cut::BeforeTheAnswerTo(b"queue_lease")).await;
}

async fn cut(cut: Cut) {
    let (scene, vendor) = (Scene::on(Kind::Postgres).await, Vendor::start().await);
    let proxy = Proxy::to(&scene).await;
    drop(scene.backend().await);
    // The wire is cut once the first page is on its way, and not before: a start that fails says so and ends.
    vendor.simulator.inject(WireFault::SlowDrip(50_000));
    let child = start_to(&proxy.url(), &vendor, WEEKS);
    while vendor.simulator.requests().total == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    proxy.cut(cut);
    proxy.happened(1).await;
    all_is_well(&scene, &vendor, &child.end().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_longer_than_a_call_may_take() {
    let (scene, vendor) = (Scene::on(Kind::Postgres).await, Vendor::start().await);
    let proxy = Proxy::to(&scene).await;
    drop(scene.backend().await);
    proxy.cut(Cut::AllSilentAfter(COPY_DATA));
    let child = start_to(&proxy.url(), &vendor, WEEKS);
    proxy.happened(1).await;
    // A call gives up after 30 s, and what comes later comes to nobody: its connection has been closed.
    tokio::time::sleep(Duration::from_secs(35)).await;
    proxy.heal();
    all_is_well(&scene, &vendor, &child.end().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn again_and_again() {
    let (scene, vendor) = (Scene::on(Kind::Postgres).await, Vendor::start().await);
    let proxy = Proxy::to(&scene).await;
    let mut child = Box::pin(start_to(&proxy.url(), &vendor, WEEKS).end());
    let outcome = loop {
        tokio::select! {
            outcome = &mut child => break outcome,
            () = tokio::time::sleep(Duration::from_millis(300)) => proxy.reset(),
        }
    };
    // What is cut off before it has begun may well say so; whatever it did stands.
    if outcome.code == Some(0) {
        all_is_well(&scene, &vendor, &outcome).await;
    } else {
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        crate::go_on(&scene, &vendor).await;
    }
}
