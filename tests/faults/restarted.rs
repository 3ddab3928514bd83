//! PostgreSQL stops, well or in a crash, at every moment of a slice, and comes back. The program goes on by itself, and the
//! outage is no slice's failure.

use barkeep_test_postgres::{Server, Stop};
use sqlx::{Connection, PgConnection};
use tests::{Scene, Vendor, Write};

use crate::moment::Moment;
use crate::{all_is_well, start};

const MOMENTS: [Moment; 9] = [
    Moment::Budget,
    Moment::Request,
    Moment::Write(Write::Batch),
    Moment::Write(Write::Bar),
    Moment::Write(Write::Coverage),
    Moment::Write(Write::Commit),
    Moment::Write(Write::Completion),
    Moment::WriteMeanwhile(Write::Heartbeat),
    Moment::Write(Write::Slice),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_waited_for() {
    restarted(Stop::Fast).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_is_waited_for() {
    restarted(Stop::Immediate).await;
}

async fn restarted(how: Stop) {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    for moment in MOMENTS {
        let (scene, vendor) = (Scene::on_server(&server).await, Vendor::start().await);
        let mut arranged = moment.for_a_while(&scene, &vendor).await;
        let mut child = start(&scene, &vendor);
        arranged.reached_by(&mut child).await;
        tokio::task::block_in_place(|| {
            server.stop(how);
            server.resume();
        });
        arranged.lift().await;
        let outcome = child.end().await;
        all_is_well(&scene, &vendor, &outcome).await;
        assert_eq!(failures(&scene).await, 0, "{moment:?}: {outcome:?}");
    }
}

/// How many slices have used up an attempt.
async fn failures(scene: &Scene) -> i64 {
    let mut connection = PgConnection::connect(scene.url()).await.unwrap();
    let failures = "SELECT count(*) FROM barkeep.queue_done WHERE failures > 0";
    sqlx::query_scalar(failures).fetch_one(&mut connection).await.unwrap()
}
