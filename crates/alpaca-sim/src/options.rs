use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::keys::Keys;
use crate::limiter::LimitWindow;
use crate::manner::Manner;
use crate::market::Market;
use crate::page::PageRules;
use crate::plan::Plan;
use crate::{AlpacaSim, Error};

/// How the simulator behaves. Where the vendor's documentation leaves something open there is a switch, and its
/// default is what the evidence favours.
///
/// ```no_run
/// use barkeep_alpaca_sim::{AlpacaSim, Market, Plan};
///
/// # async fn run() -> Result<(), barkeep_alpaca_sim::Error> {
/// let sim = AlpacaSim::options().with_market(Market::new(7)).with_plan(Plan::BASIC).start().await?;
/// # sim.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "options do nothing until started"]
pub struct Options {
    pub(crate) market: Market,
    pub(crate) port: u16,
    pub(crate) plan: Plan,
    pub(crate) window: LimitWindow,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    pub(crate) latency: Duration,
    pub(crate) pages: PageRules,
    pub(crate) default_feed: DefaultFeed,
    pub(crate) manner: Manner,
    /// In days; known in advance if absent.
    pub(crate) late_actions: Option<u64>,
    /// In seconds.
    pub(crate) settling: i64,
    pub(crate) keeps_answers: bool,
}

/// What a request without a feed gets, where the vendor's statements conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DefaultFeed {
    /// Always `sip`, as the reference says; without the right to recent data that is refused.
    #[default]
    Sip,
    /// The best feed that the plan allows for the time asked for: `iex` where `sip` would be refused.
    BestAllowed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            market: Market::new(1),
            port: 0,
            plan: Plan::UNLIMITED,
            window: LimitWindow::default(),
            keys: Keys::Any,
            clock: Clock::Host,
            latency: Duration::ZERO,
            pages: PageRules {
                source_bars: Some(10_000),
                cut_inside_bars: false,
                token_on_full_last_page: false,
                partial_first_bar: false,
            },
            default_feed: DefaultFeed::default(),
            manner: Manner::default(),
            late_actions: None,
            settling: 15 * 60,
            keeps_answers: false,
        }
    }
}

impl Options {
    /// Sets what trades; [`Market::new`] with the seed 1 by default.
    pub fn with_market(self, market: Market) -> Self {
        Self { market, ..self }
    }

    /// Sets the port on 127.0.0.1; any free one by default.
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Sets the subscription; [`Plan::UNLIMITED`] by default.
    pub fn with_plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// Sets how the minute of the request limit passes; sliding by default.
    pub fn with_limit_window(self, window: LimitWindow) -> Self {
        Self { window, ..self }
    }

    /// Accepts one pair of keys only; any pair by default.
    pub fn with_keys(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { keys: Keys::Only { id: id.into(), secret: secret.into() }, ..self }
    }

    /// Sets the time, which then stands still until [`AlpacaSim::set_now`]; the host's by default.
    pub fn with_now(self, now: DateTime<Utc>) -> Self {
        Self { clock: Clock::fixed(now), ..self }
    }

    /// Takes the time from a clock of the caller's, such as that of a simulated world.
    pub fn with_clock(self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { clock: Clock::Given(Box::new(clock)), ..self }
    }

    /// Lets every answer take so long on its way; no time by default.
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Sets after how many source bars a page of a derived timeframe ends; about 10,000 by default, `None` for never.
    pub fn with_source_bars_a_page(mut self, source_bars: Option<usize>) -> Self {
        self.pages.source_bars = source_bars.map(|bars| bars.max(1));
        self
    }

    /// Lets such a page end in the middle of a bar, whose rest comes with the next page under the same time; off by
    /// default.
    pub fn with_pages_cut_inside_bars(mut self, cut: bool) -> Self {
        self.pages.cut_inside_bars = cut;
        self
    }

    /// Lets a page that holds exactly the last bars carry a token, which an empty page follows; off by default.
    pub fn with_token_on_full_last_page(mut self, token: bool) -> Self {
        self.pages.token_on_full_last_page = token;
        self
    }

    /// Lets a start in the middle of a bar give that bar, made of the part from there on; off by default, so that the
    /// first bar is the first one that starts in time.
    pub fn with_partial_first_bar(mut self, partial: bool) -> Self {
        self.pages.partial_first_bar = partial;
        self
    }

    /// Sets what a request without a feed gets; `sip` by default.
    pub fn with_default_feed(self, default_feed: DefaultFeed) -> Self {
        Self { default_feed, ..self }
    }

    /// Sets for how long after its end a bar may still change, in whole seconds; 15 minutes by default. Until then a
    /// little of its volume is missing, and at times its close is another.
    pub fn with_settling(self, settling: Duration) -> Self {
        Self { settling: i64::try_from(settling.as_secs()).unwrap_or(i64::MAX), ..self }
    }

    /// Sets how refusals look; [`Manner::default`] by default.
    pub fn with_manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// Lets corporate actions become known only so many days after they were processed, as happens; by default all are
    /// known in advance.
    pub fn with_corporate_actions_late_by_days(self, days: u64) -> Self {
        Self { late_actions: Some(days), ..self }
    }

    /// Keeps the bodies of answers of bars in memory, so that the same request once more costs no more than sending one;
    /// off by default. For benches, in which the simulator should not be what takes the time.
    ///
    /// A body is kept by the path, the query and the encoding of its request, and only where time will not change it: both
    /// ends stated, all bars past settling. Limits, faults, counters, request ids and `Date` are as always, and an answer
    /// with a fault is made anew. Up to 256 MiB are kept, and what comes then is made each time; all is forgotten
    /// with [`AlpacaSim::set_now`], and when a new day begins in New York, since corporate actions rewrite the past. A
    /// [hole](crate::Listing::with_hole) that is mended within the day is still seen until its end.
    pub fn with_answers_kept(self, keep: bool) -> Self {
        Self { keeps_answers: keep, ..self }
    }

    /// Starts to serve.
    ///
    /// # Errors
    ///
    /// [`Error::PortInUse`] or [`Error::Listen`] if the port cannot be had.
    pub async fn start(self) -> Result<AlpacaSim, Error> {
        AlpacaSim::start(self).await
    }
}
