//! SIGKILL at every moment of a slice. The next run finds everything as it must be, and does what is left.

use tests::{Kind, Scene, Vendor};

use crate::moment::{Moment, at_every_moment};
use crate::{go_on, start};

at_every_moment!(killed on Sqlite in sqlite);
// SQLite's commit has no answer that could be lost on its way.
at_every_moment!(killed on Postgres in postgres and with_its_commit_sent_and_no_answer_seen at Moment::Write(Write::Commit));

async fn killed(kind: Kind, moment: Moment) {
    let (scene, vendor) = (Scene::on(kind).await, Vendor::start().await);
    let mut arranged = moment.for_ever(&scene, &vendor).await;
    let mut child = start(&scene, &vendor);
    arranged.reached_by(&mut child).await;
    child.kill().await;
    let before = vendor.simulator.requests().bars;
    arranged.lift().await;
    go_on(&scene, &vendor).await;

    // A crash is not the slice's failure, and costs at most the page that was under way.
    let undisturbed = undisturbed_requests(kind).await;
    let requests = vendor.simulator.requests().bars;
    assert!(requests <= undisturbed + 1, "{requests} requests, {before} of them before, instead of {undisturbed}");
}

/// How many pages the job takes if nothing happens.
async fn undisturbed_requests(kind: Kind) -> u64 {
    static REQUESTS: tokio::sync::OnceCell<u64> = tokio::sync::OnceCell::const_new();
    *REQUESTS
        .get_or_init(|| async {
            let (scene, vendor) = (Scene::on(kind).await, Vendor::start().await);
            go_on(&scene, &vendor).await;
            vendor.simulator.requests().bars
        })
        .await
}
