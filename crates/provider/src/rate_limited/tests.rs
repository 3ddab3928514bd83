use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep};

use super::*;
use crate::example::{request, subject};
use crate::{Answer, Error, Quota};

mod conformance {
    crate::provider_conformance!(super::subject(super::RateLimited::new));
}

/// A vendor that refuses what is above its limit in any 60 seconds, far away, and keeps the times.
#[derive(Clone, Debug)]
struct Vendor {
    stated: Option<u32>,
    limit: usize,
    way: Duration,
    log: Arc<Mutex<Log>>,
}

/// When requests arrived.
#[derive(Debug, Default)]
struct Log {
    /// All of them, whatever became of them.
    seen: Vec<Instant>,
    /// Those that count against the limit.
    granted: Vec<Instant>,
    refused: usize,
}

impl Log {
    /// Whether one more within the limit has come, and how many others were in the 60 seconds before it.
    fn arrived(&mut self, now: Instant, limit: usize) -> (bool, usize) {
        self.seen.push(now);
        let used = self.granted.len() - self.granted.partition_point(|at| *at + Duration::from_secs(60) <= now);
        let is_granted = used < limit;
        if is_granted {
            self.granted.push(now);
        } else {
            self.refused += 1;
        }
        (is_granted, used)
    }
}

impl Vendor {
    fn new(limit: usize, way: Duration) -> Self {
        let stated = u32::try_from(limit).ok();
        Self { stated, limit, way, log: Arc::default() }
    }

    /// Lets others use some of the allowance at once.
    fn used_by_others(&self, requests: usize) {
        self.log.lock().unwrap().granted.extend(std::iter::repeat_n(Instant::now(), requests));
    }

    fn seen(&self) -> Vec<Instant> {
        self.log.lock().unwrap().seen.clone()
    }

    fn refused(&self) -> usize {
        self.log.lock().unwrap().refused
    }
}

#[async_trait]
impl Provider for Vendor {
    fn limits(&self) -> Limits {
        Limits { requests_a_minute: self.stated, ..Limits::new(1) }
    }

    async fn page(&self, _: &BarsRequest, _: Option<&PageToken>) -> Result<Page> {
        // The way there varies from nothing to the whole way, as on a real network.
        let number = self.log.lock().unwrap().seen.len();
        let there = self.way.mul_f64((number * 7 % 11) as f64 / 10.0);
        sleep(there).await;
        let (is_granted, used) = self.log.lock().unwrap().arrived(Instant::now(), self.limit);
        sleep(self.way - there).await;
        let limit = u32::try_from(self.limit).unwrap();
        let remaining = limit.saturating_sub(u32::try_from(used).unwrap() + 1);
        let quota = Some(Quota { limit, remaining, resets_in: None });
        if is_granted {
            return Ok(Page { quota, ..Page::default() });
        }
        Err(Error::RateLimited { retry_after: None, quota, answer: Answer::new(429, b"") })
    }
}

/// Keeps `workers` busy for a while; tells how many requests were good.
async fn busy(provider: &impl Provider, workers: usize, time: Duration) -> usize {
    let end = Instant::now() + time;
    let request = request(&["A"], 1);
    let work = async || {
        let mut good = 0;
        while Instant::now() < end {
            good += usize::from(provider.page(&request, None).await.is_ok());
        }
        good
    };
    let mut workers: FuturesUnordered<_> = (0..workers).map(|_| work()).collect();
    let mut good = 0;
    while let Some(more) = workers.next().await {
        good += more;
    }
    good
}

/// The most requests that the vendor saw in any 60 seconds, refused ones included.
fn densest_minute(seen: &[Instant]) -> usize {
    let until = |from: Instant| seen.partition_point(|at| *at < from + Duration::from_secs(60));
    (0..seen.len()).map(|first| until(seen[first]) - first).max().unwrap_or(0)
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn ten_busy_minutes_meet_no_refusal_and_leave_little_unused() {
    for (limit, milliseconds) in [(200, 0), (200, 100), (200, 1_000), (1_000, 250), (10_000, 100)] {
        let vendor = Vendor::new(limit, Duration::from_millis(milliseconds));
        let good = busy(&RateLimited::new(vendor.clone()), 64, TEN_MINUTES).await;
        assert_eq!(vendor.refused(), 0, "{limit} {milliseconds}");
        assert!(densest_minute(&vendor.seen()) <= limit, "{limit} {milliseconds}");
        let least = limit * 10 * 98 / 100;
        assert!(good >= least, "{good} of {least} at {limit} a minute, {milliseconds} ms away");
    }
}

#[tokio::test(start_paused = true)]
async fn the_vendor_sees_what_an_unlimited_caller_does() {
    let vendor = Vendor::new(200, Duration::from_millis(100));
    let good = busy(&vendor, 4, Duration::from_secs(110)).await;
    let (seen, refused) = (vendor.seen(), vendor.refused());
    assert_eq!((good, good + refused), (400, seen.len()));
    assert!(densest_minute(&seen) > 2_000 && refused > 3_500, "{} {refused}", densest_minute(&seen));
}

#[tokio::test(start_paused = true)]
async fn requests_are_spread_over_the_minute() {
    let vendor = Vendor::new(200, Duration::ZERO);
    busy(&RateLimited::new(vendor.clone()), 16, Duration::from_secs(30)).await;
    let seen = vendor.seen().len();
    // Half the limit, the burst, and what each worker had begun.
    assert!((100..=100 + 10 + 16).contains(&seen), "{seen} in half a minute");
}

#[tokio::test(start_paused = true)]
async fn the_vendors_limit_overrules_the_stated_one() {
    for stated in [60, 600] {
        let vendor = Vendor { stated: Some(stated), ..Vendor::new(200, Duration::from_millis(50)) };
        let good = busy(&RateLimited::new(vendor.clone()), 8, TEN_MINUTES).await;
        assert_eq!(vendor.refused(), 0, "{stated}");
        assert!((1_800..=2_010).contains(&good), "{good} in ten minutes, {stated} stated");
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_use_of_the_allowance_is_left_to_them() {
    let vendor = Vendor::new(200, Duration::from_millis(50));
    let limited = RateLimited::new(vendor.clone());
    busy(&limited, 8, Duration::from_secs(10)).await;
    vendor.used_by_others(120);
    busy(&limited, 8, TEN_MINUTES).await;
    assert_eq!(vendor.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_everybody_waits() {
    let vendor = Vendor { stated: Some(60), ..Vendor::new(60, Duration::ZERO) };
    let limited = RateLimited::new(vendor.clone());
    vendor.used_by_others(60);
    busy(&limited, 4, Duration::from_secs(59)).await;
    // One by each worker at most, every five seconds or less often.
    assert!(vendor.refused() <= 12, "{} refusals in a minute", vendor.refused());
}

#[tokio::test(start_paused = true)]
async fn a_wait_or_a_limit_beyond_reason_is_survived() {
    let allowance = Allowance::per_minute(200);
    let quota = Some(Quota { limit: u32::MAX, remaining: 0, resets_in: None });
    let permit = allowance.take().await;
    permit.told(quota);
    // So many requests of others are not kept one by one.
    assert!(format!("{allowance:?}").contains("limit: 1000000"), "{allowance:?}");
    permit.refused(&Error::RateLimited { retry_after: Some(Duration::MAX), quota: None, answer: Answer::default() });
    drop(permit);
    let started_at = Instant::now();
    drop(allowance.take().await);
    assert_eq!(started_at.elapsed().as_secs() / 3600, 24);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_given_up_still_counts() {
    let vendor = Vendor::new(20, Duration::from_secs(5));
    let limited = RateLimited::new(vendor.clone());
    for _ in 0..60 {
        let page = limited.page(&request(&["A"], 1), None).await;
        assert!(page.is_ok());
        let given_up = request(&["A"], 1);
        let given_up = limited.page(&given_up, None);
        assert!(tokio::time::timeout(Duration::from_millis(4_900), given_up).await.is_err());
    }
    assert_eq!(vendor.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_waits() {
    let vendor = Vendor { stated: None, ..Vendor::new(100_000, Duration::ZERO) };
    let limited = RateLimited::new(vendor);
    let started_at = Instant::now();
    for _ in 0..1_000 {
        limited.page(&request(&["A"], 1), None).await.unwrap();
    }
    // Sleeps of no length take a millisecond of the paused clock each.
    assert!(started_at.elapsed() <= Duration::from_secs(3));
}
