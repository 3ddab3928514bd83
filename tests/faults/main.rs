//! What may happen to a process, to its database and to its vendor, at every moment of a slice; and afterwards nothing is
//! lost, doubled or left lying about.

mod cut;
mod killed;
mod migrating;
mod moment;
mod restarted;
mod stopped;
mod zombie;

use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use tests::{Child, Outcome, Scene, Vendor, check};

const SYMBOLS: [&str; 3] = ["AAPL", "AMD", "MSFT"];
const FROM: &str = "2024-02-05";
const TO: &str = "2024-02-16";

/// The job of every test here: three symbols, two weeks of quarter hours, of which a page holds less than one.
fn start(scene: &Scene, vendor: &Vendor) -> Child {
    start_at(scene.url(), vendor)
}

fn start_at(url: &str, vendor: &Vendor) -> Child {
    let symbols = SYMBOLS.join(",");
    let arguments = [
        "--live",
        "--json",
        "--symbols",
        &symbols,
        "--timeframe",
        "m15",
        "--from",
        FROM,
        "--to",
        TO,
        "--workers",
        "1",
        "--database",
        url,
    ];
    vendor.start_child(env!("CARGO_BIN_EXE_backfill"), &arguments)
}

fn window() -> TimeRange {
    let midnight = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
    TimeRange::new(midnight(FROM), midnight("2024-02-17")).unwrap()
}

fn definition() -> Definition {
    let symbols = SYMBOLS.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new("job", symbols, vec![Timeframe::M15], Window::Fixed(window()))
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
    check(scene, vendor.simulator.market(), &definition(), window()).await;
}
