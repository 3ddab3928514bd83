//! What may happen to a process, to its database and to its vendor, at every moment of a slice; and afterwards nothing is
//! lost, doubled or left lying about.

mod chaos;
mod cut;
mod damaged;
mod full;
mod interrupted;
mod killed;
mod migrating;
mod moment;
mod restarted;
mod restored;
mod skewed;
mod stopped;
mod unwritable;
mod zombie;

use std::time::Duration;

use barkeep_orchestrator::SliceJob;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use chrono::{DateTime, Days, Utc};
use tests::{Child, Outcome, Scene, Vendor, check};

const SYMBOLS: [&str; 3] = ["AAPL", "AMD", "MSFT"];
const FROM: &str = "2024-02-05";

/// The job of every test here: three symbols, two weeks of quarter hours.
fn start(scene: &Scene, vendor: &Vendor) -> Child {
    start_to(scene.url(), vendor, WEEKS)
}

const WEEKS: u64 = 2;

/// Starts a job of so many weeks on the database at a URL.
fn start_to(url: &str, vendor: &Vendor, weeks: u64) -> Child {
    let arguments = arguments(url, weeks);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    vendor.start_child(env!("CARGO_BIN_EXE_backfill"), &arguments)
}

/// Waits until a job has asked the vendor for what gets no good answer.
async fn comes_to_the_fault(child: &mut Child, vendor: &Vendor) {
    let asked = async {
        while vendor.simulator.requests().faults == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    child.while_it_runs(Duration::from_secs(60), asked).await;
}

fn arguments(url: &str, weeks: u64) -> Vec<String> {
    let (symbols, until) = (SYMBOLS.join(","), window(weeks).end().to_rfc3339());
    let (what, when) = (["--symbols", &symbols, "--timeframe", "m15"], ["--from", FROM, "--to", &until]);
    let how = ["--live", "--json", "--workers", "1", "--database", url];
    [&what[..], &when, &how].concat().into_iter().map(str::to_owned).collect()
}

fn window(weeks: u64) -> TimeRange {
    let start: DateTime<Utc> = format!("{FROM}T00:00:00Z").parse().unwrap();
    TimeRange::new(start, start + Days::new(7 * weeks)).unwrap()
}

/// What such a job asks for.
fn definition_of(weeks: u64) -> Definition {
    let symbols = SYMBOLS.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new("job", symbols, vec![Timeframe::M15], Window::Fixed(window(weeks)))
}

/// Starts the job anew, and checks that it goes on to the end and that all is well then.
async fn go_on(scene: &Scene, vendor: &Vendor) -> Outcome {
    let outcome = start(scene, vendor).end().await;
    all_is_well(scene, vendor, &outcome).await;
    outcome
}

async fn all_is_well(scene: &Scene, vendor: &Vendor, outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.json()["complete"], true, "{outcome:?}");
    for canary in tests::CANARIES {
        assert!(!outcome.stdout.contains(canary) && !outcome.stderr.contains(canary), "{canary} was said");
    }
    check(scene, vendor.simulator.market(), &definition_of(WEEKS), window(WEEKS)).await;
    let counts = scene.backend().await.inspect.counts().await.unwrap()[SliceJob::KIND];
    assert_eq!(counts.failed, 0, "no slice failed for good: {counts:?}");
}
