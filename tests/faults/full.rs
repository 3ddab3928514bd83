//! A disk that fills up while slices run. What runs unattended claims no more, says so, and goes on by itself once there is
//! space; what somebody waits for ends and says why. Nothing is lost, and no attempt is used up.

use std::time::Duration;

use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::Narrowing;
use barkeep_orchestrator::{Backend, HealthStatus, Orchestrator, ProgressEvent, Schedule, Settings, SliceJob};
use barkeep_test_postgres::Server;
use tests::{Disk, Kind, Scene, Vendor, check, provider};
use tokio_util::sync::CancellationToken;

use crate::{definition_of, start_to, window};

/// Enough for several slices, with bars of 400 KB or so.
const WEEKS: u64 = 20;

pub(crate) fn unattended(vendor: &Vendor, backend: Backend) -> Orchestrator {
    let settings = Settings::default()
        .with_look_every(Duration::from_millis(50))
        .with_schedule(Schedule::every(Duration::from_secs(1)))
        .with_longest_slice(1.try_into().unwrap());
    Orchestrator::with_settings(provider(&vendor.simulator), Nyse, backend, settings)
}

pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap_or_else(|_| panic!("never {what}"));
}

/// Runs unattended on a disk that is or becomes full, and is freed.
async fn waited_for(scene: &Scene, vendor: &Vendor, disk: Disk, backend: Backend) {
    backend.catalog.upsert(&definition_of(WEEKS), Narrowing::Allow).await.unwrap();
    let running = unattended(vendor, backend);
    let looking = unattended(vendor, scene.backend().await);
    let (mut events, stop) = (running.subscribe(), CancellationToken::new());
    let meanwhile = async {
        until("full", async || running.health().await.has("StorageFull")).await;
        let health = running.health().await;
        assert_eq!(health.status, HealthStatus::Failing, "{health:?}");
        until("seen from elsewhere", async || looking.health().await.has("StorageFull")).await;
        // While it lasts, next to nothing is asked of the vendor, and no slice suffers. Those that ran get to their end first.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let requests = vendor.simulator.requests().total;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let asked = vendor.simulator.requests().total - requests;
        assert!(asked <= 3, "{asked} requests within 3 s of a full disk");
        let live = running.backend().inspect.live(SliceJob::KIND).await.unwrap();
        assert!(live.iter().all(|job| job.attempt == 1), "{live:?}");
        disk.free().await;
        until("well again", async || running.health().await.concerns.is_empty()).await;
        until("well again from elsewhere", async || !looking.health().await.has("StorageFull")).await;
        until("filled", async || {
            let note = running.look().await.tick.map(|tick| tick.note).unwrap_or_default();
            note.standing.values().map(|standing| standing.missing_bars).sum::<u64>() == 0 && note.scanned > 0
        })
        .await;
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(running.run(&stop), meanwhile);
    ran.unwrap();
    let (mut full, mut freed) = (0, 0);
    while let Ok(event) = events.try_recv() {
        full += u32::from(matches!(event, ProgressEvent::StorageFull { .. }));
        freed += u32::from(matches!(event, ProgressEvent::StorageFreed { .. }));
    }
    assert_eq!((full, freed), (1, 1), "told once, and once that it is over");
    assert_eq!(running.look().await.slices.crashes, 0);
    let counts = running.backend().inspect.counts().await.unwrap()[SliceJob::KIND];
    assert_eq!((counts.live(), counts.failed), (0, 0), "{counts:?}");
    assert_eq!(scene.count("SELECT count(*) FROM failures_v1").await, 0, "no try of a slice went wrong");
    check(scene, vendor.simulator.market(), &definition_of(WEEKS), window(WEEKS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_may_not_grow_is_waited_for() {
    let (scene, vendor) = (Scene::on(Kind::Sqlite).await, Vendor::start().await);
    drop(scene.backend().await);
    let (disk, backend) = Disk::with_room_for(&scene, 200_000).await;
    waited_for(&scene, &vendor, disk, backend).await;
}

/// Has every table made that will be needed: there would be room for no more.
async fn make_room(scene: &Scene) {
    drop(scene.backend().await);
    scene.execute("SELECT store_make_room(ARRAY[2024])").await;
}

async fn on_postgres(table: &str) {
    let (server, vendor) = (tokio::task::spawn_blocking(Server::start).await.unwrap(), Vendor::start().await);
    let scene = Scene::on_server(&server).await;
    make_room(&scene).await;
    let disk = Disk::without_room_for(table, &scene, &server).await;
    waited_for(&scene, &vendor, disk, scene.backend().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_without_room_for_bars_is_waited_for() {
    on_postgres("store_bar").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_without_room_for_what_is_planned_is_waited_for() {
    on_postgres("queue_ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_without_room_for_leases_is_waited_for() {
    on_postgres("queue_lease").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_without_room_for_endings_is_waited_for() {
    on_postgres("queue_done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_somebody_waits_for_ends_and_says_why() {
    let (server, vendor) = (tokio::task::spawn_blocking(Server::start).await.unwrap(), Vendor::start().await);
    for table in ["store_bar", "queue_ready", "queue_lease", "queue_done"] {
        let scene = Scene::on_server(&server).await;
        make_room(&scene).await;
        let disk = Disk::without_room_for(table, &scene, &server).await;
        let outcome = start_to(scene.url(), &vendor, WEEKS).end().await;
        assert_eq!(outcome.code, Some(3), "{table}: {outcome:?}");
        assert!(outcome.stderr.contains("no space left"), "{table}: {outcome:?}");
        disk.free().await;
        let outcome = start_to(scene.url(), &vendor, WEEKS).end().await;
        assert_eq!(outcome.code, Some(0), "{table}: {outcome:?}");
        check(&scene, vendor.simulator.market(), &definition_of(WEEKS), window(WEEKS)).await;
    }
}
