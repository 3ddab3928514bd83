//! Random histories: definitions that come, change and go, ticks, workers that are interrupted or die, a vendor that fails.
//! After every step no bar is wrong and no time is asked for twice; at the end nothing is missing. The same history is
//! played on SQLite and on PostgreSQL.
//!
//! 6 histories by default; `PROPTEST_CASES=1000` plays more.

use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Fault, Market, WireFault};
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Narrowing, Pattern, Window};
use barkeep_orchestrator::queue::{Backoff, Claim};
use barkeep_orchestrator::store::{State, covered};
use barkeep_orchestrator::types::{Coverage, Series, TimeRange, Timeframe};
use barkeep_orchestrator::{Orchestrator, ProgressEvent, Settings, SliceJob};
use chrono::{DateTime, Days, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tests::{Kind, Scene, bars_of, check, provider};
use tokio_util::sync::CancellationToken;

const NAMES: [&str; 2] = ["one", "two"];
const SYMBOLS: [&str; 4] = ["AAPL", "AMD", "MSFT", "NVDA"];

#[derive(Clone, Debug)]
enum Act {
    /// Definition so-and-so asks for these symbols from this day of the year on, for so many days.
    Keep { name: usize, symbols: Vec<&'static str>, from: u64, days: u64 },
    /// A definition is disabled and its slices cancelled.
    Cancel { name: usize },
    /// The planner has a look.
    Tick,
    /// Workers work, and are interrupted after so many pages.
    Work { pages: usize },
    /// A worker takes so many slices and is never heard of again.
    Die { slices: u16 },
    /// The vendor fails at so many requests.
    Fault { fault: usize, times: usize },
    /// Somebody doubts a symbol's first days.
    Doubt { symbol: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let symbols = proptest::sample::subsequence(SYMBOLS.to_vec(), 1..=SYMBOLS.len());
    let name = 0..NAMES.len();
    prop_oneof![
        3 => (name.clone(), symbols, 0..60_u64, 1..40_u64)
            .prop_map(|(name, symbols, from, days)| Act::Keep { name, symbols, from, days }),
        1 => name.prop_map(|name| Act::Cancel { name }),
        3 => Just(Act::Tick),
        3 => (1..6_usize).prop_map(|pages| Act::Work { pages }),
        1 => (1..4_u16).prop_map(|slices| Act::Die { slices }),
        1 => (0..faults().len(), 1..3_usize).prop_map(|(fault, times)| Act::Fault { fault, times }),
        1 => (0..SYMBOLS.len()).prop_map(|symbol| Act::Doubt { symbol }),
    ]
}

fn faults() -> Vec<Fault> {
    vec![AnswerFault::Status(503).into(), AnswerFault::TruncatedJson.into(), WireFault::ResetMidBody.into()]
}

fn day(number: u64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2024-01-02T00:00:00Z".parse().unwrap();
    first + Days::new(number)
}

fn year() -> TimeRange {
    TimeRange::new(day(0), day(365)).unwrap()
}

/// What the acts act on.
struct Player {
    orchestrator: Orchestrator,
    simulator: AlpacaSim,
    scene: Scene,
}

impl Player {
    async fn on(kind: Kind) -> Self {
        let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
        let scene = Scene::on(kind).await;
        let settings = Settings::default()
            .with_lease(Duration::from_secs(2))
            .with_backoff(Backoff::new(Duration::from_millis(20)));
        let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, scene.backend().await, settings);
        Self { orchestrator, simulator, scene }
    }

    async fn play(&self, act: &Act) {
        let backend = self.orchestrator.backend();
        match act {
            Act::Keep { name, symbols, from, days } => {
                let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
                let window = Window::Fixed(TimeRange::new(day(*from), day(from + days)).unwrap());
                let definition = Definition::new(NAMES[*name], symbols, vec![Timeframe::H1], window);
                backend.catalog.upsert(&definition, Narrowing::Allow).await.unwrap();
            }
            Act::Cancel { name } => {
                let name: Pattern = NAMES[*name].parse().unwrap();
                self.orchestrator.cancel(&name).await.unwrap();
            }
            Act::Tick => {
                let report = self.orchestrator.tick().await.unwrap();
                assert!(report.errors.is_empty(), "{report:?}");
            }
            Act::Work { pages } => self.work(*pages).await,
            Act::Die { slices } => {
                let claim = Claim::new(SliceJob::KIND, "dead").with_limit(*slices).with_lease(Duration::from_millis(1));
                backend.queue.claim(&claim).await.unwrap();
            }
            Act::Fault { fault, times } => {
                let fault = faults().swap_remove(*fault);
                self.simulator.inject(barkeep_alpaca_sim::Injection::of(fault).times(*times));
            }
            Act::Doubt { symbol } => self.doubt(SYMBOLS[*symbol]).await,
        }
    }

    async fn enabled(&self) -> Vec<Definition> {
        let mut definitions = self.orchestrator.backend().catalog.list().await.unwrap();
        definitions.retain(|definition| definition.enabled);
        definitions
    }

    async fn work(&self, pages: usize) {
        let (definitions, stop) = (self.enabled().await, CancellationToken::new());
        let mut events = self.orchestrator.subscribe();
        let interrupt = async {
            let mut committed = 0;
            while committed < pages {
                match events.recv().await {
                    Ok(ProgressEvent::PageCommitted { .. }) => committed += 1,
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
            stop.cancel();
        };
        tokio::select! {
            report = self.orchestrator.backfill(&definitions, &stop) => drop(report.unwrap()),
            () = async { interrupt.await; std::future::pending().await } => {}
        }
    }

    async fn doubt(&self, symbol: &str) {
        let store = &self.orchestrator.backend().store;
        let doubtful = TimeRange::new(day(0), day(20)).unwrap();
        for series in store.series().await.unwrap().iter().filter(|series| series.symbol.as_str() == symbol) {
            store.suspect(series, doubtful).await.unwrap();
        }
    }

    /// No bar is wrong, and no time of a series is in two slices.
    async fn invariants(&self) {
        let backend = self.orchestrator.backend();
        for series in backend.store.series().await.unwrap() {
            let spans = backend.store.coverage(std::slice::from_ref(&series), year()).await.unwrap();
            for span in covered(&spans[0], |span| span.state == State::Covered).ranges() {
                let bars = bars_of(&*backend.store, &series, *span).await;
                assert_eq!(bars, self.simulator.market().truth(&series, *span), "{series} {span}");
            }
        }
        let mut planned: BTreeMap<Series, Coverage> = BTreeMap::new();
        for job in backend.inspect.live(SliceJob::KIND).await.unwrap() {
            let slice = SliceJob::read(&job.payload).unwrap();
            for series in slice.series() {
                let planned = planned.entry(series).or_default();
                let free: Vec<_> = planned.gaps_in(slice.range).collect();
                assert_eq!(free, [slice.range], "two slices ask for the same time");
                planned.insert(slice.range);
            }
        }
    }

    /// Everything that is still asked for is filled in the end, and nothing more to be done then.
    async fn finish(self) {
        self.simulator.clear_faults();
        let definitions = self.enabled().await;
        let report = self.orchestrator.backfill(&definitions, &CancellationToken::new()).await.unwrap();
        assert!(report.complete, "{report:?}");
        for definition in &definitions {
            let Window::Fixed(window) = definition.window else { unreachable!("every window here is fixed") };
            let sessions = Nyse.spans(Timeframe::H1, definition.hours, window);
            if !sessions.is_empty() {
                check(&self.scene, self.simulator.market(), definition, window).await;
            }
        }
        let asked = self.simulator.requests().total;
        self.orchestrator.backfill(&definitions, &CancellationToken::new()).await.unwrap();
        assert_eq!(self.simulator.requests().total, asked, "a second time there is nothing to do");
    }
}

async fn play(kind: Kind, history: &[Act]) {
    let player = Player::on(kind).await;
    for act in history {
        player.play(act).await;
        player.invariants().await;
    }
    player.finish().await;
}

#[test]
fn any_history_ends_complete_on_both_databases() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    TestRunner::new(config)
        .run(&vec(act(), 4..14), |history| {
            runtime.block_on(async {
                tokio::join!(play(Kind::Sqlite, &history), play(Kind::Postgres, &history));
            });
            Ok(())
        })
        .unwrap();
}
