//! SIGTERM at every moment of a slice: the program ends within its grace, and leaves no lease.

use std::time::Duration;

use barkeep_orchestrator::SliceJob;
use tests::{Kind, Scene, Vendor};

use crate::moment::{Moment, at_every_moment};
use crate::{go_on, start};

at_every_moment!(stopped on Sqlite in sqlite);
at_every_moment!(stopped on Postgres in postgres and with_its_commit_sent_and_no_answer_seen at Moment::Write(Write::Commit));

async fn stopped(kind: Kind, moment: Moment) {
    let (scene, vendor) = (Scene::on(kind).await, Vendor::start().await);
    let mut arranged = moment.for_a_while(&scene, &vendor).await;
    let mut child = start(&scene, &vendor);
    arranged.reached_by(&mut child).await;
    child.signal("TERM");
    arranged.lift().await;
    let outcome = tokio::time::timeout(Duration::from_secs(30), child.end()).await.expect("it ends within its grace");
    // What was nearly done may have been finished.
    assert!(matches!(outcome.code, Some(130 | 0)), "{outcome:?}");
    let counts = scene.backend().await.inspect.counts().await.unwrap();
    assert_eq!(counts.get(SliceJob::KIND).map_or(0, |slices| slices.running), 0, "no lease is left");
    go_on(&scene, &vendor).await;
}
