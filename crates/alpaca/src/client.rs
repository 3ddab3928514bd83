use std::fmt;

use async_trait::async_trait;
use barkeep_provider::{Allowance, BarsRequest, Calls, Limits, Page, PageToken, Provider, Result, RetryPolicy};
use barkeep_types::Timeframe;
use chrono::{NaiveDate, TimeDelta};

use crate::endpoint::Endpoint;
use crate::http::{self, Timeouts};
use crate::query::{self, Common};
use crate::server::{Manner, Server};
use crate::{ConfigError, Credentials, refusal, wire};

/// The most bars that Alpaca puts on a page, and probably the most source minutes that it makes one from.
const PAGE: u32 = 10_000;
/// The first trading day of Alpaca's history: 2016-01-04, by New York's clock.
const EARLIEST: &str = "2016-01-04T05:00:00Z";
const MEBIBYTE: u64 = 1 << 20;
/// The limit of the trading API, under every plan.
const TRADING_REQUESTS: u32 = 200;

/// What a subscription allows. The vendor's own headers overrule it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Plan {
    /// Free: 200 requests a minute, and nothing of the consolidated tape younger than 15 minutes.
    #[default]
    Basic,
    /// Algo Trader Plus: 10,000 requests a minute, without delay.
    Plus,
}

impl Plan {
    const fn requests_a_minute(self) -> u32 {
        match self {
            Self::Basic => 200,
            Self::Plus => 10_000,
        }
    }
}

/// Alpaca's historical bars: stocks, and crypto under the feeds that are its places, `us` above all.
///
/// A clone shares the connections and the allowance of requests. Nothing is sent before the first request. A page of bars
/// is asked for once and at once: `barkeep_provider`'s wrappers keep to the limit and ride out blips. Whatever else is
/// asked does so by itself.
///
/// ```
/// use barkeep_alpaca::{Alpaca, Credentials, Plan};
/// use barkeep_provider::{RateLimited, Retrying};
///
/// let alpaca = Alpaca::new(Credentials::new("key", "secret")?).with_plan(Plan::Plus);
/// // Bars and corporate actions count against one limit.
/// let bars = Retrying::new(RateLimited::new(alpaca.clone()).with_allowance(alpaca.allowance()));
/// # Ok::<(), barkeep_alpaca::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Alpaca {
    pub(crate) credentials: Credentials,
    pub(crate) data: Server,
    pub(crate) trading: Server,
    pub(crate) retries: RetryPolicy,
    allowed_hosts: Vec<String>,
    plan: Plan,
    limits: Option<Limits>,
    common: Common,
    pub(crate) manner: Manner,
}

impl Alpaca {
    /// A client of `https://data.alpaca.markets` on the free plan. Calendar and assets are asked of the trading API, or
    /// of its paper twin if the key is for that.
    pub fn new(credentials: Credentials) -> Self {
        let most_bytes = 32 * MEBIBYTE;
        let manner = Manner { timeouts: Timeouts::default(), use_proxy: true, most_bytes, authorities: Vec::new() };
        let (plan, is_paper) = (Plan::default(), credentials.are_for_paper());
        let trading = if is_paper { Endpoint::paper() } else { Endpoint::trading() };
        Self {
            data: Server::new(Endpoint::data(), plan.requests_a_minute()),
            trading: Server::new(trading, TRADING_REQUESTS),
            credentials,
            retries: RetryPolicy::default(),
            allowed_hosts: Vec::new(),
            plan,
            limits: None,
            common: Common { page_bars: PAGE, ..Common::default() },
            manner,
        }
    }

    /// A client with the credentials that [`Credentials::from_env`] finds, of the server that `APCA_API_DATA_URL` names,
    /// if it is set.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that names what is missing or malformed, never its value.
    pub fn from_env() -> Result<Self, ConfigError> {
        let alpaca = Self::new(Credentials::from_env()?);
        match std::env::var("APCA_API_DATA_URL") {
            Ok(url) if !url.is_empty() => alpaca.with_base_url(&url),
            _ => Ok(alpaca),
        }
    }

    /// Asks another server for market data: a host of Alpaca, one allowed before, or one on loopback, which alone may
    /// speak plain HTTP.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is malformed, has user info, or leads to a host that is not allowed.
    pub fn with_base_url(self, url: &str) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::parse(url, &self.allowed_hosts)?;
        Ok(Self { data: self.data.at(endpoint), ..self })
    }

    /// Asks another server for calendar and assets, under the same rules.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is malformed, has user info, or leads to a host that is not allowed.
    pub fn with_trading_url(self, url: &str) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::parse(url, &self.allowed_hosts)?;
        Ok(Self { trading: self.trading.at(endpoint), ..self })
    }

    /// Lets credentials go to another host, such as a proxy of your own, over HTTPS.
    #[must_use]
    pub fn with_allowed_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Says what the subscription allows.
    #[must_use]
    pub fn with_plan(mut self, plan: Plan) -> Self {
        self.data.allowance = Allowance::per_minute(plan.requests_a_minute());
        Self { plan, ..self }
    }

    /// Says what the server allows, where that is not what a plan says: a simulator, or a proxy of your own.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.data.allowance = Allowance::per_minute(limits.requests_a_minute.unwrap_or(u32::MAX));
        Self { limits: Some(limits), ..self }
    }

    /// Sends requests for something other than bars again in another way than [`RetryPolicy::default`]'s.
    #[must_use]
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        Self { retries, ..self }
    }

    /// The requests that may be made of the market-data API, on which corporate actions draw: for a
    /// [`RateLimited`](barkeep_provider::RateLimited) that draws on it for bars. Ask for it once all else is set.
    pub fn allowance(&self) -> Allowance {
        self.data.allowance.clone()
    }

    /// Identifies symbols as of a day, so that a reused or renamed one keeps its meaning. Alpaca's default is today.
    #[must_use]
    pub fn with_as_of(mut self, day: NaiveDate) -> Self {
        self.common.as_of = Some(day);
        self
    }

    /// Asks for prices of stocks in another currency than USD, by its ISO 4217 code.
    #[must_use]
    pub fn with_currency(mut self, code: impl Into<String>) -> Self {
        self.common.currency = Some(code.into());
        self
    }

    /// Asks for pages of at most this many bars, 1 to 10,000; more count as 10,000. Smaller pages cost more requests.
    #[must_use]
    pub fn with_page_bars(mut self, bars: u32) -> Self {
        self.common.page_bars = bars.clamp(1, PAGE);
        self
    }

    /// Waits longer, or less long.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.manner.timeouts = timeouts;
        self.anew()
    }

    /// Reads at most this many bytes of an answer once decompressed, instead of 32 MiB. A full page has about 1.3 MB.
    #[must_use]
    pub fn with_response_limit(mut self, bytes: u64) -> Self {
        self.manner.most_bytes = bytes;
        self
    }

    /// Leaves the system's proxy aside. It is used otherwise, except on loopback.
    #[must_use]
    pub fn without_proxy(mut self) -> Self {
        self.manner.use_proxy = false;
        self.anew()
    }

    /// Trusts servers that an authority of your own vouches for, beside those that the machine trusts: a proxy that you
    /// allowed, say. Takes the authority's certificate in DER.
    ///
    /// # Errors
    ///
    /// [`ConfigError::InvalidCertificate`] if it is none.
    pub fn with_authority(mut self, certificate: &[u8]) -> Result<Self, ConfigError> {
        self.manner.authorities.push(http::authority(certificate)?);
        Ok(self.anew())
    }

    /// Connections are made in the manner of their time.
    fn anew(self) -> Self {
        Self { data: self.data.anew(), trading: self.trading.anew(), ..self }
    }
}

#[async_trait]
impl Provider for Alpaca {
    fn limits(&self) -> Limits {
        if let Some(limits) = &self.limits {
            return limits.clone();
        }
        let delay = match self.plan {
            Plan::Basic => TimeDelta::minutes(16),
            Plan::Plus => TimeDelta::zero(),
        };
        Limits {
            source_minutes_a_page: Some(PAGE),
            native_timeframes: vec![Timeframe::M1, Timeframe::D1],
            symbols_a_request: 200,
            // A comma takes three bytes in a URL; this leaves it well below what servers refuse.
            symbol_bytes_a_request: 2_000,
            requests_a_minute: Some(self.plan.requests_a_minute()),
            delay,
            earliest: EARLIEST.parse().ok(),
            ..Limits::new(self.common.page_bars)
        }
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        self.page_counted(request, token, &Calls::default()).await
    }

    async fn page_counted(&self, request: &BarsRequest, token: Option<&PageToken>, calls: &Calls) -> Result<Page> {
        let Some(url) = query::bars_url(self.data.endpoint(), &self.common, request, token)? else {
            return Ok(Page::default());
        };
        let body = match self.data.get(url, self.credentials.headers(), &self.manner, calls).await? {
            Ok(body) => body,
            Err(refused) => return Err(refusal::of_bars(refused, request, token)),
        };
        let (bars, next) = wire::bars(&body.bytes).map_err(|error| body.unreadable(error))?;
        let count: usize = bars.iter().map(|of| of.bars.len()).sum();
        let (symbols, more) = (request.symbols().len(), next.is_some());
        tracing::debug!(symbols, bars = count, more, request_id = ?body.request_id, "page");
        let bytes = Some(body.bytes.len() as u64);
        Ok(Page { bars, next, request_id: body.request_id, quota: body.quota, bytes })
    }
}

impl fmt::Debug for Alpaca {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Alpaca").field("data", &self.data).field("plan", &self.plan).finish_non_exhaustive()
    }
}
