use futures::{StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::*;
use crate::ProviderExt;
use crate::example::{memory, of, request, subject};
use crate::testing::{Fault, FaultyProvider, MemoryProvider};

mod conformance {
    crate::provider_conformance!(super::subject(super::Retrying::new));
}

fn faulty() -> FaultyProvider<MemoryProvider> {
    FaultyProvider::new(memory(100, &[of("A", 0..3)]))
}

async fn page(provider: &impl Provider) -> (Result<usize>, Duration) {
    let started_at = Instant::now();
    let page = provider.page(&request(&["A"], 10), None).await;
    (page.map(|page| page.bars[0].bars.len()), started_at.elapsed())
}

#[tokio::test(start_paused = true)]
async fn blips_are_ridden_out_with_growing_waits() {
    let faulty = faulty().with_faults(0..3, Fault::Unavailable);
    let (bars, took) = page(&Retrying::new(faulty.clone())).await;
    assert_eq!((bars.unwrap(), faulty.calls()), (3, 4));
    // 1 + 2 + 4 seconds, each at random up to twice as long.
    assert!((7..=14).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_the_callers_after_three_more_tries() {
    let faulty = faulty().with_faults(0..9, Fault::BadResponse);
    let (bars, _) = page(&Retrying::new(faulty.clone())).await;
    assert_eq!((bars.unwrap_err().code(), faulty.calls()), ("BAD_RESPONSE", 4));
}

#[tokio::test(start_paused = true)]
async fn what_will_not_change_is_not_tried_again() {
    let faulty = faulty().with_fault(0, Fault::Unauthenticated);
    let (bars, took) = page(&Retrying::new(faulty.clone())).await;
    assert_eq!((bars.unwrap_err().code(), faulty.calls()), ("AUTHENTICATION_ERROR", 1));
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_vendors_word_on_waiting_is_kept() {
    let wait = Duration::from_secs(30);
    let faulty = faulty().with_fault(0, Fault::RateLimited(Some(wait)));
    let (bars, took) = page(&Retrying::new(faulty)).await;
    bars.unwrap();
    assert!(took >= wait && took < wait + Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_says_at_once_is_not_hammered() {
    let faulty = faulty().with_faults(0..3, Fault::RateLimited(Some(Duration::ZERO)));
    let (bars, took) = page(&Retrying::new(faulty)).await;
    bars.unwrap();
    assert!(took >= Duration::from_secs(7), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_bound() {
    for wait in [Duration::from_secs(600), Duration::MAX] {
        let faulty = faulty().with_fault(0, Fault::Unavailable).with_fault(1, Fault::RateLimited(Some(wait)));
        let (bars, took) = page(&Retrying::new(faulty.clone())).await;
        assert_eq!((bars.unwrap_err().code(), faulty.calls()), ("RATE_LIMIT_EXCEEDED", 2));
        assert!(took <= Duration::from_secs(2), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_pages_survives_blips_in_its_middle() {
    let memory = memory(2, &[of("A", 0..9)]);
    let faulty = FaultyProvider::new(memory).with_faults([1, 3, 4], Fault::Unavailable);
    let bars: Vec<_> = Retrying::new(faulty).bars(request(&["A"], 10)).try_collect().await.unwrap();
    assert_eq!(bars.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn every_try_is_a_call_whatever_wraps_what() {
    for end in [None, Some(4)] {
        let memory = memory(2, &[of("A", 0..9)]);
        let faulty = FaultyProvider::new(memory).with_faults([1, 3, 4], Fault::Unavailable);
        // The outage ends the fetch; its tries count as well.
        let faulty = faulty.with_faults(end.into_iter().flat_map(|first| first..first + 9), Fault::BadResponse);
        let provider: std::sync::Arc<dyn Provider> = std::sync::Arc::new(faulty.clone());
        let retrying = Retrying::new(crate::RateLimited::new(provider));
        let mut fetch = retrying.fetch(request(&["A"], 10));
        let fetched: Result<Vec<_>> = fetch.by_ref().try_collect().await;
        assert_eq!(fetched.is_err(), end.is_some());
        assert_eq!(fetch.calls(), faulty.calls());
        assert!(fetch.calls() > 6, "{} calls", fetch.calls());
    }
}
