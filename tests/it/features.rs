//! What the system that this one replaces promised, row by row of its list: docs/features.md. The rows that have a module of
//! their own elsewhere are tested there.

mod definitions;
mod failing;
mod filling;
mod gaps;
mod vendor;

use barkeep_alpaca_sim::{AlpacaSim, Market, Options};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Narrowing, Window};
use barkeep_orchestrator::provider::Provider;
use barkeep_orchestrator::queue::{Backoff, FinishedJob};
use barkeep_orchestrator::types::{Series, TimeRange, Timeframe};
use barkeep_orchestrator::{BackfillReport, Orchestrator, Settings, SliceJob};
use std::time::Duration;
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::on_both_databases;

/// A simulator, a database, and an orchestrator between them that waits little after a failure.
struct Stage {
    orchestrator: Orchestrator,
    simulator: AlpacaSim,
    scene: Scene,
}

impl Stage {
    async fn on(kind: Kind) -> Self {
        Self::with(kind, AlpacaSim::options().with_market(Market::new(1))).await
    }

    async fn with(kind: Kind, options: Options) -> Self {
        let simulator = options.start().await.unwrap();
        let provider = provider(&simulator);
        Self::between(kind, simulator, provider).await
    }

    async fn between(kind: Kind, simulator: AlpacaSim, provider: impl Provider) -> Self {
        let scene = Scene::on(kind).await;
        let orchestrator = Orchestrator::with_settings(provider, Nyse, scene.backend().await, settings());
        Self { orchestrator, simulator, scene }
    }

    async fn tuned(kind: Kind, tune: impl FnOnce(Settings) -> Settings) -> Self {
        let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
        let (scene, provider) = (Scene::on(kind).await, provider(&simulator));
        let orchestrator = Orchestrator::with_settings(provider, Nyse, scene.backend().await, tune(settings()));
        Self { orchestrator, simulator, scene }
    }

    async fn keep(&self, definition: &Definition) {
        self.orchestrator.backend().catalog.upsert(definition, Narrowing::Refuse).await.unwrap();
    }

    async fn fill(&self, definition: &Definition) -> BackfillReport {
        self.orchestrator.backfill(std::slice::from_ref(definition), &CancellationToken::new()).await.unwrap()
    }

    async fn live(&self) -> Vec<SliceJob> {
        let live = self.orchestrator.backend().inspect.live(SliceJob::KIND).await.unwrap();
        live.iter().map(|job| SliceJob::read(&job.payload).unwrap()).collect()
    }

    async fn failed(&self) -> Vec<FinishedJob> {
        self.orchestrator.backend().inspect.failed(SliceJob::KIND, 1_000).await.unwrap()
    }
}

fn settings() -> Settings {
    Settings::default().with_backoff(Backoff::new(Duration::from_millis(10)))
}

fn span(start: &str, end: &str) -> TimeRange {
    TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
}

/// The month that most rows are about.
fn march() -> TimeRange {
    span("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z")
}

fn definition(symbols: &[&str], timeframe: Timeframe) -> Definition {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    Definition::new("row", symbols, vec![timeframe], Window::Fixed(march()))
}

fn series(symbol: &str, timeframe: Timeframe) -> Series {
    definition(&[symbol], timeframe).series().next().unwrap()
}
