use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{Error, Result, check};

/// Request budgets that all workers of all processes share.
///
/// A budget hands out tokens at a steady pace, to whoever asks, in blocks, so that a worker need not ask for each request.
/// Each token is good for [`Rate::hold`] only: that is what makes it impossible to save tokens up and then to spend more in a
/// window than the limit.
#[async_trait]
pub trait Budgets: Debug + Send + Sync + 'static {
    /// Makes a budget, or changes the rate of one. What was handed out already stays counted.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a name that is empty or longer than 128 bytes;
    /// [`Error::Database`] if the database could not answer.
    async fn set_budget(&self, name: &str, rate: &Rate) -> Result<()>;

    /// Asks for up to `wanted` tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is no such budget;
    /// [`Error::Database`] if the database could not answer.
    async fn reserve(&self, name: &str, wanted: u32) -> Result<Grant>;

    /// Gives back what is left of a block: take off its `tokens` what was spent. To be done once, and soon: what has been
    /// earned anew since then is not given twice.
    ///
    /// # Errors
    ///
    /// As for [`reserve`](Self::reserve).
    async fn give_back(&self, name: &str, block: &Block) -> Result<()>;

    /// Hands out nothing for `time` from now, to anybody: the provider said so. A longer block that is in force stays.
    ///
    /// # Errors
    ///
    /// As for [`reserve`](Self::reserve).
    async fn block(&self, name: &str, time: Duration) -> Result<()>;

    /// Lets jobs of this kind be claimed only while a budget can hand out tokens: not while it is [blocked](Self::block), nor
    /// when its day is spent. Other kinds are not held up. `None`: always. To take the tokens stays the worker's part.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a name that no kind could have, or if there is no such budget;
    /// [`Error::Database`] if the database could not answer.
    async fn set_budget_of(&self, kind: &str, budget: Option<&str>) -> Result<()>;

    /// How a budget stands, if there is one of that name.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the database could not answer.
    async fn budget(&self, name: &str) -> Result<Option<BudgetState>>;
}

/// How many tokens a budget hands out.
///
/// At most `limit` are spent in *any* window, by all who share it. Of them, `burst` may be spent at once; the rest come evenly.
/// The smaller the burst and the hold, the nearer the steady pace comes to the limit: `(limit - burst) / (window + hold)`.
///
/// ```
/// use barkeep_queue::Rate;
/// use std::time::Duration;
///
/// let rate = Rate::new(200, Duration::from_secs(60))?;
/// assert_eq!(rate.interval(), Duration::from_micros(321_053));
/// # Ok::<(), barkeep_queue::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    // Invariants: 0 < burst < limit; window > 0; interval >= 1 us.
    limit: u32,
    window: Duration,
    burst: u32,
    hold: Duration,
    day_limit: Option<u64>,
}

impl Rate {
    /// At most `limit` in any `window`; a twentieth of them at once, each good for a sixtieth of the window.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a limit below 2, a window of no length, or more than a token a microsecond.
    pub fn new(limit: u32, window: Duration) -> Result<Self> {
        let burst = (limit / 20).max(1);
        Self { limit, window, burst, hold: window / 60, day_limit: None }.checked()
    }

    /// Lets `burst` be spent at once.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for no burst at all, or one that is not below the limit.
    pub fn with_burst(self, burst: u32) -> Result<Self> {
        Self { burst, ..self }.checked()
    }

    /// Makes tokens good for `hold`: longer lets workers ask in larger blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a hold of more than ten years.
    pub fn with_hold(self, hold: Duration) -> Result<Self> {
        Self { hold, ..self }.checked()
    }

    /// Hands out no more than this on any one day (UTC).
    #[must_use]
    pub fn with_day_limit(self, day_limit: u64) -> Self {
        Self { day_limit: Some(day_limit), ..self }
    }

    /// The time between two tokens at the steady pace, rounded up to a microsecond.
    pub fn interval(&self) -> Duration {
        let span_us = (self.window + self.hold).as_micros();
        let tokens = u128::from(self.limit - self.burst);
        Duration::from_micros(u64::try_from(span_us.div_ceil(tokens)).unwrap_or(u64::MAX))
    }

    /// How long a token is good.
    pub fn hold(&self) -> Duration {
        self.hold
    }

    /// How many may be spent at once.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// How many are handed out on one day at most.
    pub fn day_limit(&self) -> Option<u64> {
        self.day_limit
    }

    fn checked(self) -> Result<Self> {
        check::rule("rate.burst", self.burst > 0, "is none")?;
        check::rule("rate.limit", self.limit > self.burst, "is not above the burst")?;
        check::lease("rate.window", self.window)?;
        check::wait("rate.hold", self.hold)?;
        Ok(self)
    }
}

/// What a budget answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grant {
    /// Some tokens, perhaps fewer than wanted, but at least one.
    Granted(Block),
    /// None for now.
    Wait {
        /// When to ask again.
        wait: Duration,
    },
}

/// Tokens that were handed out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// How many.
    pub tokens: u32,
    /// How long they are good, from the moment of asking.
    pub hold: Duration,
    /// What the budget knows them by when they are given back.
    pub ticket: i64,
}

/// How a budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetState {
    /// Tokens to be had at once.
    pub available: u32,
    /// Until when nothing is handed out, if that is so.
    pub blocked_until: Option<DateTime<Utc>>,
    /// Tokens handed out today (UTC).
    pub spent_today: u64,
    /// How many may be handed out today.
    pub day_limit: Option<u64>,
}

pub(crate) fn unknown() -> Error {
    Error::Invalid { what: "budget".to_owned(), why: "is not known; set its rate first" }
}
