//! Slices and workers that fail: F47 to F49.

use std::time::Duration;

use async_trait::async_trait;
use barkeep_alpaca_sim::{AlpacaSim, AnswerFault, Injection, Market};
use barkeep_orchestrator::provider::{BarsRequest, Limits, Page, PageToken, Provider};
use barkeep_orchestrator::queue::{Claim, Outcome};
use barkeep_orchestrator::types::Timeframe;
use barkeep_orchestrator::{ProgressEvent, SliceJob};
use tests::{Kind, provider};

use super::{Stage, definition, on_both_databases};

on_both_databases!(
    f47_a_panic_is_recorded_and_the_workers_live_on,
    f48_a_slice_that_always_fails_is_tried_five_times_and_told,
    f49_what_a_dead_worker_left_is_taken_back_and_in_the_end_given_up,
);

/// A vendor's client with a bug: it panics at some requests.
#[derive(Debug)]
struct Buggy<P> {
    inner: P,
    at: &'static str,
}

#[async_trait]
impl<P: Provider> Provider for Buggy<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(
        &self,
        request: &BarsRequest,
        token: Option<&PageToken>,
    ) -> barkeep_orchestrator::provider::Result<Page> {
        assert!(!request.symbols().iter().any(|symbol| symbol.as_str() == self.at), "a bug");
        self.inner.page(request, token).await
    }
}

async fn f47_a_panic_is_recorded_and_the_workers_live_on(kind: Kind) {
    let simulator = AlpacaSim::options().with_market(Market::new(1)).start().await.unwrap();
    let buggy = Buggy { inner: provider(&simulator), at: "AMD" };
    let stage = Stage::between(kind, simulator, buggy).await;
    let one_by_one = barkeep_orchestrator::catalog::Definition {
        batch_size: Some(1),
        ..definition(&["AAPL", "AMD", "MSFT"], Timeframe::D1)
    };
    let report = stage.fill(&one_by_one).await;
    assert!(!report.complete);
    let failed = stage.failed().await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((failed[0].outcome, failed[0].code.as_deref()), (Outcome::Failed, Some("PANICKED")));
    let status = stage.orchestrator.status().await.unwrap();
    assert_eq!((status.slices.live(), status.slices.succeeded), (0, 2), "the others were done");
}

async fn f48_a_slice_that_always_fails_is_tried_five_times_and_told(kind: Kind) {
    let stage = Stage::on(kind).await;
    stage.simulator.inject(Injection::of(AnswerFault::Status(503)).times(usize::MAX));
    let mut events = stage.orchestrator.subscribe();
    let report = stage.fill(&definition(&["AAPL"], Timeframe::D1)).await;
    assert_eq!((report.complete, stage.simulator.requests().total), (false, 5));
    assert_eq!(report.failed[0].code, "SERVICE_UNAVAILABLE");
    let failed = stage.failed().await;
    assert_eq!((failed.len(), failed[0].failures), (1, 5));
    let mut told = (0, 0);
    while let Ok(event) = events.try_recv() {
        told.0 += u32::from(matches!(event, ProgressEvent::SliceRetrying { .. }));
        told.1 += u32::from(matches!(event, ProgressEvent::SliceFailed { .. }));
    }
    assert_eq!(told, (4, 1));
}

async fn f49_what_a_dead_worker_left_is_taken_back_and_in_the_end_given_up(kind: Kind) {
    let stage = Stage::on(kind).await;
    let days = definition(&["AAPL"], Timeframe::D1);
    stage.keep(&days).await;
    stage.orchestrator.tick().await.unwrap();
    let backend = stage.orchestrator.backend();
    let claim = Claim::new(SliceJob::KIND, "doomed").with_lease(Duration::from_millis(1));
    for crashes in 1..=5 {
        assert_eq!(backend.queue.claim(&claim).await.unwrap().len(), 1, "it has another chance");
        // Its lease passes; whoever looks next takes the slice back, at last the one who works now.
        tokio::time::sleep(Duration::from_millis(5)).await;
        if crashes < 5 {
            assert_eq!(backend.queue.reap().await.unwrap().returned, 1);
        }
    }
    let report = stage.fill(&days).await;
    assert_eq!((report.complete, report.failed[0].code.as_str()), (false, "CRASHED"));
    assert!(report.failed[0].reason.contains("5 times"), "{report:?}");
    let given_up = stage.failed().await;
    assert_eq!((given_up[0].outcome, given_up[0].failures, given_up[0].crashes), (Outcome::Failed, 0, 5));
    assert_eq!(given_up[0].code.as_deref(), Some("CRASHED"));
    assert!(stage.fill(&days).await.complete, "and tried again when somebody says so");
}
