//! Does what a history says, and looks after each act whether all is as it must be.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Market};
use barkeep_orchestrator::calendar::{CalendarExt, Nyse};
use barkeep_orchestrator::catalog::{Definition, Narrowing, Pattern, Window};
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::queue::{Backoff, Claim, Pause, Select};
use barkeep_orchestrator::store::{State, covered};
use barkeep_orchestrator::types::{Bar, Coverage, Grid, Series, TimeRange, Timeframe};
use barkeep_orchestrator::{Budgeted, Error, Orchestrator, ProgressEvent, Repair, Settings, SliceJob, Tunable};
use chrono::TimeDelta;
use tests::{Kind, Scene, bars_of, check, provider};
use tokio_util::sync::CancellationToken;

use super::act::{Act, Asked, Span, day, faults, range, year};

/// How long workers have to store as many pages as they are to; not all of them may be there to be stored.
const PATIENCE: Duration = Duration::from_millis(400);
const BUDGET: &str = "account";

/// What the acts act on.
pub(super) struct Player {
    orchestrator: Orchestrator,
    /// Another process, with connections of its own.
    other: Orchestrator,
    simulator: AlpacaSim,
    scene: Scene,
    /// Whether bars were built from others: then their means may differ from the vendor's in the last digit.
    has_built: Cell<bool>,
    /// Whether all bars were others for a while: then some of what nobody asks for any more still are.
    has_revised: Cell<bool>,
}

impl Player {
    pub(super) async fn on(kind: Kind) -> Self {
        let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
        let scene = Scene::on(kind).await;
        let (one, other) = (orchestrator(&scene, &simulator).await, orchestrator(&scene, &simulator).await);
        Self { orchestrator: one, other, simulator, scene, has_built: Cell::default(), has_revised: Cell::default() }
    }

    pub(super) async fn play(&self, act: &Act) {
        let backend = self.orchestrator.backend();
        match act {
            Act::Keep(asked) => {
                backend.catalog.upsert(&self.definition(asked), Narrowing::Allow).await.unwrap();
            }
            Act::Batch(asked) => match self.orchestrator.batch(&self.definition(asked)).await {
                Ok(_) | Err(Error::Catalog(_)) => {}
                Err(error) => panic!("{error}"),
            },
            Act::Ensure { symbol, days } => self.ensure(symbol, *days).await,
            Act::Cancel { name } => {
                let name: Pattern = name.parse().unwrap();
                self.orchestrator.cancel(&name).await.unwrap();
            }
            Act::Enable { name } => {
                if let Some(stored) = backend.catalog.get(name).await.unwrap() {
                    let enabled = Definition { enabled: true, ..stored };
                    backend.catalog.upsert(&enabled, Narrowing::Refuse).await.unwrap();
                }
            }
            Act::Tick => {
                let report = self.orchestrator.tick().await.unwrap();
                assert!(report.errors.is_empty(), "{report:?}");
            }
            Act::Work { pages } => self.work(&self.orchestrator, *pages).await,
            Act::Together { pages, others } => {
                tokio::join!(self.work(&self.orchestrator, *pages), self.work(&self.other, *others));
            }
            Act::Die { slices } => {
                let claim = Claim::new(SliceJob::KIND, "dead").with_limit(*slices).with_lease(Duration::from_millis(1));
                backend.queue.claim(&claim).await.unwrap();
            }
            Act::Fault { fault, times } => {
                self.simulator.inject(Injection::of(faults().swap_remove(*fault)).times(*times));
            }
            Act::Refuse { symbol } => {
                let refusal = AnswerFault::Refusal(400, format!("invalid symbol: {symbol}"));
                self.simulator.inject(Injection::of(refusal));
            }
            Act::Forgive => self.forgive().await,
            Act::RetryFailed => drop(self.orchestrator.retry_failed().await.unwrap()),
            Act::Pause { name } => {
                let what = name.map_or(Pause::Kind(SliceJob::KIND.into()), |name| Pause::Group(name.into()));
                backend.control.pause(&what).await.unwrap();
            }
            Act::Resume => self.resume().await,
            Act::Limit { slices } => {
                self.orchestrator.tune(Tunable::Concurrency, Some(*slices), "history").await.unwrap();
            }
            Act::Block { wait } => backend.budgets.block(BUDGET, *wait).await.unwrap(),
            Act::Doubt { symbol, days } => self.doubt(Some(symbol), range(*days)).await,
            Act::Revise => {
                self.has_revised.set(true);
                self.scene.execute("UPDATE store_bar SET volume = volume + 1").await;
                self.doubt(None, year()).await;
            }
            Act::Forget { before } => drop(backend.upkeep.retain(day(*before)).await.unwrap()),
            Act::Repair => {
                let report = self.orchestrator.repair(Repair::Withdraw).await.unwrap();
                assert_eq!(report.wrong, [], "the vendor's bars are all right");
            }
        }
    }

    fn definition(&self, asked: &Asked) -> Definition {
        let definition = asked.definition();
        self.has_built.set(self.has_built.get() || definition.derive_from.is_some());
        definition
    }

    async fn ensure(&self, symbol: &str, days: Span) {
        let definition =
            Definition::new("any", vec![symbol.parse().unwrap()], vec![Timeframe::H1], Window::LastDays(1));
        let series = definition.series().next().unwrap();
        match self.orchestrator.ensure_coverage(&series, range(days)).await {
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn enabled(&self) -> Vec<Definition> {
        let mut definitions = self.orchestrator.backend().catalog.list().await.unwrap();
        definitions.retain(|definition| definition.enabled);
        definitions
    }

    /// Works until so many pages are stored, all is done, or it takes too long: what is paused is never done.
    async fn work(&self, orchestrator: &Orchestrator, pages: usize) {
        let (definitions, stop) = (self.enabled().await, CancellationToken::new());
        let mut events = orchestrator.subscribe();
        let enough = async {
            let mut committed = 0;
            while committed < pages {
                match events.recv().await {
                    Ok(ProgressEvent::PageCommitted { .. }) => committed += 1,
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        };
        let interrupt = async {
            // Out of time is as good as enough.
            let _ = tokio::time::timeout(PATIENCE, enough).await;
            stop.cancel();
            std::future::pending().await
        };
        tokio::select! {
            report = orchestrator.backfill(&definitions, &stop) => drop(report.unwrap()),
            () = interrupt => {}
        }
    }

    async fn doubt(&self, symbol: Option<&str>, range: TimeRange) {
        let store = &self.orchestrator.backend().store;
        let is_meant = |series: &&Series| symbol.is_none_or(|symbol| series.symbol.as_str() == symbol);
        for series in store.series().await.unwrap().iter().filter(is_meant) {
            store.suspect(series, range).await.unwrap();
        }
    }

    async fn forgive(&self) {
        let rejections = &self.orchestrator.backend().rejections;
        let refused: Vec<Series> = rejections.rejections().await.unwrap().into_iter().map(|one| one.series).collect();
        rejections.forgive(&refused).await.unwrap();
    }

    async fn resume(&self) {
        let control = &self.orchestrator.backend().control;
        for paused in control.paused().await.unwrap() {
            control.resume(&paused).await.unwrap();
        }
    }

    /// No bar is wrong, and no time of a series is in two slices.
    pub(super) async fn invariants(&self) {
        let backend = self.orchestrator.backend();
        for series in backend.store.series().await.unwrap() {
            self.covered_is_true(&series).await;
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

    /// Answers what is covered, and that its bars are the vendor's.
    async fn covered_is_true(&self, series: &Series) -> Coverage {
        let store = &self.orchestrator.backend().store;
        let spans = store.coverage(std::slice::from_ref(series), year()).await.unwrap();
        let covered = covered(&spans[0], |span| span.state == State::Covered);
        for span in covered.ranges() {
            let bars = bars_of(&**store, series, *span).await;
            let truth = self.simulator.market().truth(series, *span);
            assert_eq!(bars.len(), truth.len(), "{series} {span}");
            for (bar, truth) in bars.iter().zip(&truth) {
                assert!(self.is_same(bar, truth), "{series}: {bar:?} is no {truth:?}");
            }
        }
        covered
    }

    fn is_same(&self, bar: &Bar, truth: &Bar) -> bool {
        let near = |one: f64, other: f64| (one - other).abs() <= 1e-6 * other;
        let is_near = bar.vwap.zip(truth.vwap).is_some_and(|(one, other)| near(one, other));
        let is_built = self.has_built.get() && is_near;
        bar == truth || is_built && Bar { vwap: None, ..*bar } == Bar { vwap: None, ..*truth }
    }

    /// Everything that is still asked for is filled in the end, and nothing more to be done then.
    pub(super) async fn finish(self) {
        self.simulator.clear_faults();
        self.forgive().await;
        self.resume().await;
        let definitions = self.enabled().await;
        let fill = async || self.orchestrator.backfill(&definitions, &CancellationToken::new()).await.unwrap();
        let mut report = fill().await;
        if !report.complete {
            // What too many died with is given up in the run that finds it, and tried again by the next.
            assert!(report.failed.iter().all(|one| one.code == "CRASHED"), "{report:?}");
            report = fill().await;
        }
        assert!(report.complete, "{report:?}");
        let asked = self.simulator.requests().total;
        self.orchestrator.backfill(&definitions, &CancellationToken::new()).await.unwrap();
        assert_eq!(self.simulator.requests().total, asked, "a second time there is nothing to do");
        self.cancel_what_nobody_asks_for(&definitions).await;
        for definition in &definitions {
            self.is_filled(definition).await;
        }
        self.invariants().await;
    }

    /// Slices may be left of what definitions asked for before they asked for something else, and of nothing else.
    async fn cancel_what_nobody_asks_for(&self, definitions: &[Definition]) {
        let backend = self.orchestrator.backend();
        for job in backend.inspect.live(SliceJob::KIND).await.unwrap() {
            let slice = SliceJob::read(&job.payload).unwrap();
            let asks = |definition: &&Definition| {
                let Window::Fixed(window) = definition.window else { unreachable!("every window here is fixed") };
                let spans = Nyse.spans(slice.timeframe, definition.hours, window);
                let is_within = spans.iter().any(|span| span.overlaps(&slice.range));
                is_within && slice.series().any(|series| definition.series().any(|one| one == series))
            };
            assert_eq!(definitions.iter().find(asks), None, "it is not waited for: {slice:?}");
        }
        backend.control.cancel(&Select::all().of_kind(SliceJob::KIND)).await.unwrap();
    }

    async fn is_filled(&self, definition: &Definition) {
        let Window::Fixed(window) = definition.window else { unreachable!("every window here is fixed") };
        let recheck = self.orchestrator.backend().inspect.live(SliceJob::RECHECK).await.unwrap();
        let recheck: Vec<SliceJob> = recheck.iter().map(|job| SliceJob::read(&job.payload).unwrap()).collect();
        for series in definition.series() {
            let covered = self.covered_is_true(&series).await;
            // What looked suspicious is in doubt, and fetched again a day later.
            let is_of_it = |slice: &&SliceJob| slice.series().any(|one| one == series);
            let put_off: Coverage = recheck.iter().filter(is_of_it).map(|slice| slice.range).collect();
            let grid = Grid::new(series.timeframe, Nyse.spans(series.timeframe, definition.hours, window));
            for bar in (0..grid.bars()).filter_map(|slot| grid.bar(slot)) {
                // Where it starts: of one that lasts for a day somebody may have doubted the end.
                let start = bar.before(bar.start() + TimeDelta::seconds(1)).unwrap();
                let is_there = covered.covers(&start) || put_off.covers(&start);
                assert!(is_there, "{series}: {bar} is neither covered nor looked at again later");
            }
        }
        let has_sessions = !Nyse.spans(definition.timeframes[0], definition.hours, window).is_empty();
        if has_sessions && recheck.is_empty() && !self.has_built.get() && !self.has_revised.get() {
            check(&self.scene, self.simulator.market(), definition, window).await;
        }
    }
}

async fn orchestrator(scene: &Scene, simulator: &AlpacaSim) -> Orchestrator {
    let settings =
        Settings::default().with_lease(Duration::from_secs(2)).with_backoff(Backoff::new(Duration::from_millis(20)));
    let (alpaca, backend) = (provider(simulator), scene.backend().await);
    let limits = Limits { requests_a_minute: Some(60_000), ..alpaca.limits() };
    let shared = Budgeted::share(alpaca.with_limits(limits), &backend, BUDGET).await.unwrap();
    Orchestrator::with_settings(shared, Nyse, backend, settings)
}
