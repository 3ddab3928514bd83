//! What it will cost, and what it did cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use barkeep_alpaca_sim::{AnswerFault, Injection, RetryAfter, WireFault};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{self, Rejection, Rejections};
use barkeep_orchestrator::database;
use barkeep_orchestrator::provider::{Limits, Provider};
use barkeep_orchestrator::queue::Backoff;
use barkeep_orchestrator::types::{Series, Timeframe};
use barkeep_orchestrator::{Budgeted, Orchestrator, SliceJob};
use tests::{Kind, Scene, provider};
use tokio_util::sync::CancellationToken;

use crate::{definition, enable, on_both_databases, quick, simulator};

on_both_databases!(
    f55_a_forecast_costs_nothing_and_comes_true,
    f55_costs_stand_beside_what_was_expected_by_slice_and_day,
    f55_what_was_asked_in_vain_is_booked_whichever_way_a_try_ends,
    f55_requests_a_minute_are_counted_over_all_processes,
);

async fn f55_a_forecast_costs_nothing_and_comes_true(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let orchestrator = Orchestrator::new(provider(&simulator), Nyse, scene.backend().await);
    let wanted = [definition(Timeframe::H1), definition(Timeframe::H1)];
    let forecast = orchestrator.forecast(&wanted).await.unwrap();
    assert_eq!((simulator.requests().total, orchestrator.status().await.unwrap().slices.live()), (0, 0));
    let [first, again] = forecast.lines.as_slice() else { panic!("{forecast:?}") };
    assert_eq!((first.series, again.series, again.requests), (2, 0, 0), "what two definitions lack is fetched once");
    assert!(first.missing_bars > 0 && first.bars > 0 && first.bytes > 0 && first.least_requests <= first.requests);
    assert_eq!((forecast.duration(), forecast.queued_requests), (None, 0));
    let report = orchestrator.backfill(&wanted[..1], &CancellationToken::new()).await.unwrap();
    assert_eq!((report.complete, report.requests), (true, simulator.requests().bars));
    let off = report.requests.abs_diff(forecast.requests());
    assert!(off * 5 <= report.requests, "{} were foretold, {} made", forecast.requests(), report.requests);
    assert_eq!(orchestrator.forecast(&wanted).await.unwrap().requests(), 0);
}

async fn f55_costs_stand_beside_what_was_expected_by_slice_and_day(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    enable(&backend, &definition(Timeframe::D1)).await;
    let settings = quick().with_backoff(Backoff::new(Duration::from_millis(1)));
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, backend.clone(), settings);
    let since = backend.inspect.now().await.unwrap();
    orchestrator.tick().await.unwrap();
    let job = backend.inspect.live(SliceJob::KIND).await.unwrap()[0].id;
    let waiting = orchestrator.slice_cost(job).await.unwrap().unwrap();
    assert_eq!((waiting.expected_requests, waiting.requests), (1, None));

    // Two tries in vain, which cost something all the same.
    simulator.inject(Injection::of(AnswerFault::Status(503)).times(2));
    let report = orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    assert!(report.complete, "{report}");
    let done = orchestrator.slice_cost(job).await.unwrap().unwrap();
    assert_eq!((done.expected_requests, done.requests), (1, Some(1)));
    let lines = orchestrator.costs(since).await.unwrap().lines;
    assert_eq!((lines.len(), lines[0].definition.as_str(), lines[0].slices, lines[0].failed), (1, "march", 1, 0));
    assert_eq!((lines[0].expected_requests, lines[0].requests), (1, 3), "{lines:?}");
    assert_eq!(lines[0].requests, simulator.requests().total, "as many as the vendor saw");
    assert_eq!(orchestrator.slice_cost(serde_json::from_str("123456").unwrap()).await.unwrap(), None);
}

async fn f55_what_was_asked_in_vain_is_booked_whichever_way_a_try_ends(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let mut backend = scene.backend().await;
    let since = backend.inspect.now().await.unwrap();
    backend.rejections = Arc::new(OutOnce { inner: backend.rejections, is_out: AtomicBool::new(true) });
    let orchestrator = Orchestrator::with_settings(provider(&simulator), Nyse, backend, quick());
    let booked = async || orchestrator.costs(since).await.unwrap().lines.iter().map(|line| line.requests).sum::<u64>();
    let wanted = [definition(Timeframe::D1)];

    // Stopped while it waits for the vendor, which has seen the request.
    let (stop, told) = (CancellationToken::new(), CancellationToken::new());
    simulator.inject(WireFault::NoAnswer);
    let asked = async {
        while simulator.requests().faults == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    };
    let (stopped, ()) = tokio::join!(orchestrator.backfill(&wanted, &stop), asked);
    assert!(stopped.unwrap().interrupted);
    assert_eq!((booked().await, simulator.requests().total), (1, 1), "stopped");

    // Limited, then held up by the database when it is to note down what the vendor refused.
    simulator.inject(Injection::of(AnswerFault::TooManyRequests(RetryAfter::Seconds(0))));
    simulator.inject(Injection::of(AnswerFault::Refusal(400, "invalid symbol: MSFT".into())).times(2));
    let report = orchestrator.backfill(&wanted, &told).await.unwrap();
    assert_eq!((report.failed.len(), report.failed[0].code.as_str()), (1, "INVALID_SYMBOL"), "{report}");
    assert_eq!(simulator.requests().faults, 4, "one stopped, one limited, one in the outage, one refused");
    assert_eq!(booked().await, simulator.requests().total, "limited, in an outage, and done");
    let lines = orchestrator.costs(since).await.unwrap().lines;
    assert_eq!((lines.len(), lines[0].slices, lines[0].failed), (1, 1, 0), "{lines:?}");
}

/// Does not answer the first time that something is to be noted down.
#[derive(Debug)]
struct OutOnce {
    inner: Arc<dyn Rejections>,
    is_out: AtomicBool,
}

#[async_trait]
impl Rejections for OutOnce {
    async fn reject(&self, series: &Series, code: &str, reason: &str) -> catalog::Result<()> {
        if self.is_out.swap(false, Ordering::Relaxed) {
            return Err(database::Error::TimedOut { limit: Duration::from_secs(30) }.into());
        }
        self.inner.reject(series, code, reason).await
    }

    async fn rejections(&self) -> catalog::Result<Vec<Rejection>> {
        self.inner.rejections().await
    }

    async fn forgive(&self, series: &[Series]) -> catalog::Result<u64> {
        self.inner.forgive(series).await
    }
}

async fn f55_requests_a_minute_are_counted_over_all_processes(kind: Kind) {
    let (scene, simulator) = (Scene::on(kind).await, simulator().await);
    let backend = scene.backend().await;
    let alpaca = provider(&simulator);
    let limits = Limits { requests_a_minute: Some(6_000), ..alpaca.limits() };
    let shared = Budgeted::share(alpaca.with_limits(limits), &backend, "account").await.unwrap();
    let orchestrator = Orchestrator::with_settings(shared, Nyse, backend.clone(), quick());
    orchestrator.look().await;
    // Another process spends of the same budget.
    backend.budgets.reserve("account", 10).await.unwrap();
    orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let look = orchestrator.look().await;
    assert!(look.slices.budgets[0].spent_today > look.totals.requests, "{look:?}");
    let now = backend.inspect.now().await.unwrap();
    assert!(orchestrator.costs(now).await.unwrap().requests_a_minute.unwrap() > 0.0);
}
