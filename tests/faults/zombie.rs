//! SIGSTOP for longer than a lease: another process does the slice, and the one that wakes up can change nothing any more.

use std::time::Duration;

use tests::{Kind, Scene, Vendor, everything};

use crate::moment::{Moment, at_every_moment};
use crate::{all_is_well, go_on, start};

at_every_moment!(frozen on Postgres in postgres);

mod sqlite {
    use tests::Kind;

    use crate::moment::Moment;

    // A process frozen in a write keeps SQLite's only write lock: nobody can go on before it wakes up or is killed.
    crate::moment::tests_at! { frozen Sqlite;
        waiting_for_the_request_budget at Moment::Budget;
        waiting_for_the_vendor at Moment::Request;
        in_the_middle_of_an_answer at Moment::Answer;
    }
}

async fn frozen(kind: Kind, moment: Moment) {
    let (scene, vendor) = (Scene::on(kind).await, Vendor::start().await);
    let mut arranged = moment.for_a_while(&scene, &vendor).await;
    let mut child = start(&scene, &vendor);
    arranged.reached_by(&mut child).await;
    // Not in the middle of a sign of life, which it gives meanwhile: see above.
    child.signal("STOP");
    while !scene.is_writable().await {
        child.signal("CONT");
        tokio::time::sleep(Duration::from_millis(20)).await;
        child.signal("STOP");
    }
    arranged.lift().await;
    // Waits for the frozen one's lease, and for its locks as long as the database lets it have them.
    go_on(&scene, &vendor).await;
    let bars = everything(&*scene.backend().await.store).await;

    child.signal("CONT");
    let outcome = child.end().await;
    all_is_well(&scene, &vendor, &outcome).await;
    assert_eq!(everything(&*scene.backend().await.store).await, bars);
}
