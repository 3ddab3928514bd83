//! What people see of it: health, notices, costs, checks, logs, metrics. Real databases, real sockets, real programs.

mod costs;
mod health;
mod logs;
mod measured;
mod notices;
mod pages;
mod self_check;
mod validation;

use std::time::Duration;

use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::{AlpacaSim, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::types::{TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Health, Orchestrator, Settings};
use tests::{Scene, provider};

/// Has every function of a module tested on both databases.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(tests::Kind::Sqlite).await; })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(tests::Kind::Postgres).await; })* }
    };
}

use on_both_databases;

fn march() -> TimeRange {
    TimeRange::new("2024-03-01T00:00:00Z".parse().unwrap(), "2024-04-01T00:00:00Z".parse().unwrap()).unwrap()
}

fn definition(timeframe: Timeframe) -> Definition {
    let symbols = vec!["AAPL".parse().unwrap(), "MSFT".parse().unwrap()];
    Definition::new("march", symbols, vec![timeframe], Window::Fixed(march()))
}

async fn simulator() -> AlpacaSim {
    AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap()
}

/// A client with other keys than the default ones.
fn provider_with(simulator: &AlpacaSim, key: &str, secret: &str) -> Alpaca {
    let alpaca = Alpaca::new(Credentials::new(key, secret).unwrap()).with_base_url(&simulator.base_url()).unwrap();
    let limits = Limits { requests_a_minute: None, earliest: None, ..alpaca.limits() };
    alpaca.with_limits(limits)
}

/// Looks often, so that a drill is over soon.
fn quick() -> Settings {
    Settings::default().with_look_every(Duration::from_millis(30))
}

/// An orchestrator with an enabled definition.
async fn orchestrator(scene: &Scene, simulator: &AlpacaSim, settings: Settings) -> Orchestrator {
    let backend = scene.backend().await;
    enable(&backend, &definition(Timeframe::D1)).await;
    Orchestrator::with_settings(provider(simulator), Nyse, backend, settings)
}

async fn enable(backend: &Backend, definition: &Definition) {
    backend.catalog.upsert(definition, Narrowing::Allow).await.unwrap();
}

/// Looks until the health is as it should be.
async fn until(orchestrator: &Orchestrator, what: &str, is_so: impl Fn(&Health) -> bool) -> Health {
    let look = async {
        loop {
            let health = orchestrator.health().await;
            if is_so(&health) {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let looked = tokio::time::timeout(Duration::from_secs(60), look).await;
    looked.unwrap_or_else(|_| panic!("never {what}"))
}

/// Looks until a rule finds something.
async fn becomes(orchestrator: &Orchestrator, rule: &str) -> Health {
    until(orchestrator, rule, |health| health.has(rule)).await
}
