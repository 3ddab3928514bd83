//! Everything at once, at random, for a while: processes killed, frozen and told to stop, servers and wires that fail, a
//! vendor in a bad mood. Then one quiet run, and nothing is lost or doubled.
//!
//! `BARKEEP_CHAOS_SECONDS` says for how long (60), `BARKEEP_CHAOS_SEED` how: a run prints its seed.

use std::time::{Duration, Instant};

use barkeep_alpaca_sim::{AnswerFault, Fault, RetryAfter};
use barkeep_test_postgres::{Server, Stop};
use fastrand::Rng;
use tests::{Child, Kind, Proxy, Scene, Vendor, check};

use crate::{definition_of, start_to, window};

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let (seed, scene) = (seed(), Scene::on(Kind::Sqlite).await);
    println!("BARKEEP_CHAOS_SEED={seed}");
    let url = scene.url().to_owned();
    Chaos::new(seed, scene, url).await.rage(&[Blow::Kill, Blow::Terminate, Blow::Freeze]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let (seed, server) = (seed(), tokio::task::spawn_blocking(Server::start).await.unwrap());
    println!("BARKEEP_CHAOS_SEED={seed}");
    let scene = Scene::on_server(&server).await;
    let proxy = Proxy::to(&scene).await;
    let blows = [
        Blow::Kill,
        Blow::Terminate,
        Blow::Freeze,
        Blow::Reset(&proxy),
        Blow::Restart(&server, Stop::Fast),
        Blow::Restart(&server, Stop::Immediate),
    ];
    Chaos::new(seed, scene, proxy.url()).await.rage(&blows).await;
}

fn seed() -> u64 {
    std::env::var("BARKEEP_CHAOS_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap())
}

fn length() -> Duration {
    let seconds = std::env::var("BARKEEP_CHAOS_SECONDS").map_or(60, |seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds)
}

#[derive(Clone, Copy, Debug)]
enum Blow<'a> {
    Kill,
    Terminate,
    Freeze,
    Reset(&'a Proxy),
    Restart(&'a Server, Stop),
}

/// Two programs that share a database and a vendor, and the fate that meets them.
struct Chaos {
    random: Rng,
    scene: Scene,
    vendor: Vendor,
    url: String,
    children: Vec<Child>,
    /// How long the job's window is. It grows whenever the job is done.
    weeks: u64,
    blows: u64,
}

impl Chaos {
    async fn new(seed: u64, scene: Scene, url: String) -> Self {
        let vendor = Vendor::start().await;
        let slow_down = AnswerFault::TooManyRequests(RetryAfter::Seconds(1));
        let moods = Fault::transient().into_iter().chain([slow_down.into()]);
        vendor.simulator.inject_at_random(seed, 0.05, moods);
        // The tables stand before anything falls.
        drop(scene.backend().await);
        Self { random: Rng::with_seed(seed), scene, vendor, url, children: Vec::new(), weeks: 2, blows: 0 }
    }

    async fn rage(mut self, blows: &[Blow<'_>]) {
        let started = Instant::now();
        while started.elapsed() < length() {
            self.replace_the_fallen().await;
            let blow = blows[self.random.usize(..blows.len())];
            self.strike(blow).await;
            self.blows += 1;
            tokio::time::sleep(Duration::from_millis(self.random.u64(..1500))).await;
        }
        for child in std::mem::take(&mut self.children) {
            child.kill().await;
        }
        self.vendor.simulator.clear_faults();
        let outcome = start_to(self.scene.url(), &self.vendor, self.weeks).end().await;
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let requests = self.vendor.simulator.requests();
        println!("{} blows, {} weeks, {} pages, {} faults", self.blows, self.weeks, requests.bars, requests.faults);
        check(&self.scene, self.vendor.simulator.market(), &definition_of(self.weeks), window(self.weeks)).await;
    }

    async fn replace_the_fallen(&mut self) {
        let mut standing = Vec::new();
        for mut child in std::mem::take(&mut self.children) {
            match child.ended() {
                None => standing.push(child),
                // All done: there shall be more to do.
                Some(Some(0)) => self.weeks += 2,
                Some(code) => {
                    // Told to stop, killed, or started while the server was away.
                    assert!(matches!(code, None | Some(130 | 3)), "{:?}", child.end().await);
                }
            }
        }
        while standing.len() < 2 {
            standing.push(start_to(&self.url, &self.vendor, self.weeks));
        }
        self.children = standing;
    }

    async fn strike(&mut self, blow: Blow<'_>) {
        let child = self.random.usize(..self.children.len());
        match blow {
            Blow::Kill => self.children.swap_remove(child).kill().await,
            Blow::Terminate => self.children[child].signal("TERM"),
            Blow::Freeze => {
                // Often for a moment, sometimes for longer than a lease.
                let long = self.random.u8(..8) == 0;
                self.children[child].signal("STOP");
                tokio::time::sleep(Duration::from_millis(if long { 12_000 } else { 500 })).await;
                self.children[child].signal("CONT");
            }
            Blow::Reset(proxy) => proxy.reset(),
            Blow::Restart(server, how) => tokio::task::block_in_place(|| {
                server.stop(how);
                server.resume();
            }),
        }
    }
}
