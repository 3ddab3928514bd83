//! How many requests may be made now.
//!
//! Two things are kept apart. The *pace* spreads requests over the minute (a token bucket, with a small burst so that
//! late wake-ups can be made up for). The *window* is the promise: fewer than the limit are under way or were answered
//! in the last 60 seconds. Since the vendor sees a request after it is sent and before it is answered, no 60 seconds of
//! the vendor's can hold more.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as Rate, RateLimiter};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Error, Quota};

const MINUTE: Duration = Duration::from_secs(60);
/// How long everybody waits after a refusal that does not say.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest that everybody waits, whatever a vendor says.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// The highest limit that a vendor is believed to have: what others use of it is kept request by request.
const MOST_A_MINUTE: u32 = 1_000_000;

type Pace = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<std::time::Instant>>;

/// The requests that may still be made of a vendor in this minute. Clones share them.
///
/// [`RateLimited`](crate::RateLimited) draws on one for pages; a vendor's client may draw on the same one for what it
/// asks besides.
///
/// ```
/// use barkeep_provider::Allowance;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let allowance = Allowance::per_minute(200);
/// let permit = allowance.take().await;
/// // One request, under way until the permit is dropped.
/// drop(permit);
/// # }
/// ```
#[derive(Clone)]
pub struct Allowance(Arc<Shared>);

struct Shared {
    /// One waits at a time, the others behind, in order.
    turn: tokio::sync::Mutex<Turn>,
    window: Mutex<Window>,
    answered: Notify,
}

struct Turn {
    pace: Pace,
    limit: u32,
}

struct Window {
    limit: u32,
    under_way: u32,
    /// When requests were answered, ours and those that others must have made.
    answered: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

/// The right to make one request. It counts until 60 seconds after it is dropped, which is to be done once the request
/// was answered or given up.
#[must_use = "a permit that is dropped at once limits nothing"]
pub struct Permit<'a> {
    allowance: &'a Shared,
    sent_at: Instant,
}

enum Room {
    Now,
    At(Instant),
    AfterAnAnswer,
}

impl Allowance {
    /// At most `limit` requests in any 60 seconds, and one at least, until the vendor tells another limit.
    pub fn per_minute(limit: u32) -> Self {
        let limit = limit.max(1);
        let window = Window { limit, under_way: 0, answered: VecDeque::new(), paused_until: None };
        Self(Arc::new(Shared {
            turn: tokio::sync::Mutex::new(Turn { pace: pace(limit), limit }),
            window: Mutex::new(window),
            answered: Notify::new(),
        }))
    }

    /// Waits for the right to make one request. First come, first served.
    pub async fn take(&self) -> Permit<'_> {
        self.0.take().await
    }
}

impl Shared {
    async fn take(&self) -> Permit<'_> {
        let mut turn = self.turn.lock().await;
        loop {
            let limit = self.window().limit;
            if limit != turn.limit {
                *turn = Turn { pace: pace(limit), limit };
            }
            match turn.pace.check() {
                Ok(()) => break,
                Err(not_until) => sleep(not_until.wait_time_from(TokioClock.now())).await,
            }
        }
        loop {
            let answered = self.answered.notified();
            let room = self.window().take(Instant::now());
            match room {
                Room::Now => return Permit { allowance: self, sent_at: Instant::now() },
                Room::At(instant) => sleep_until(instant).await,
                Room::AfterAnAnswer => answered.await,
            }
        }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn take(&mut self, now: Instant) -> Room {
        // Older answers are kept for a while: a slow request is compared with what it met when it was sent.
        while self.answered.front().is_some_and(|at| *at + 3 * MINUTE <= now) {
            self.answered.pop_front();
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Room::At(until);
        }
        let first = self.answered.partition_point(|at| *at + MINUTE <= now);
        let counted = self.answered.len() - first;
        let limit = self.limit as usize;
        if self.under_way as usize + counted < limit {
            self.under_way += 1;
            return Room::Now;
        }
        // Room comes when enough answers have grown old, or, if those under way fill the limit, with the next one.
        let excess = self.under_way as usize + counted - limit;
        match self.answered.get(first + excess) {
            Some(at) => Room::At(*at + MINUTE),
            None => Room::AfterAnAnswer,
        }
    }

    /// How many requests the vendor may have counted when it answered the one sent at `sent_at`.
    fn counted_since(&self, sent_at: Instant) -> u32 {
        let first = self.answered.partition_point(|at| *at + MINUTE <= sent_at);
        u32::try_from(self.answered.len() - first).unwrap_or(u32::MAX).saturating_add(self.under_way)
    }

    fn pause_until(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |already| already.max(until)));
    }
}

impl Permit<'_> {
    /// Takes over what the vendor says with an answer, if it says something: its limit, and the requests that others
    /// have made under the same account.
    pub fn told(&self, quota: Option<Quota>) {
        let Some(quota) = quota else { return };
        let mut window = self.allowance.window();
        if quota.limit > 0 {
            window.limit = quota.limit.min(MOST_A_MINUTE);
        }
        let used = quota.limit.saturating_sub(quota.remaining);
        let by_others = used.saturating_sub(window.counted_since(self.sent_at));
        let now = Instant::now();
        for _ in 0..by_others.min(window.limit) {
            window.answered.push_back(now);
        }
    }

    /// Takes over what an error says: where the vendor refused the request as one too many, everybody waits.
    pub fn refused(&self, error: &Error) {
        if let Error::RateLimited { retry_after, quota, .. } = error {
            self.told(*quota);
            let wait = retry_after.or_else(|| quota.as_ref()?.resets_in).unwrap_or(PAUSE).min(LONGEST_PAUSE);
            self.allowance.window().pause_until(Instant::now() + wait);
        }
    }
}

impl Drop for Permit<'_> {
    /// Also after a request that was given up: the vendor may have seen it.
    fn drop(&mut self) {
        let mut window = self.allowance.window();
        window.under_way -= 1;
        window.answered.push_back(Instant::now());
        drop(window);
        self.allowance.answered.notify_one();
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Allowance").field("limit", &self.0.window().limit).finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Permit").finish_non_exhaustive()
    }
}

fn pace(limit: u32) -> Pace {
    let burst = NonZeroU32::new(limit / 20).unwrap_or(NonZeroU32::MIN);
    let rate = Rate::with_period(MINUTE / limit.max(1)).unwrap_or(Rate::per_minute(NonZeroU32::MIN));
    RateLimiter::direct_with_clock(rate.allow_burst(burst), TokioClock)
}

/// The runtime's clock, which tests can move.
#[derive(Clone, Copy, Debug)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}
