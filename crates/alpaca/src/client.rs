use std::fmt;
use std::sync::OnceLock;

use async_trait::async_trait;
use barkeep_provider::{BarsRequest, Limits, Page, PageToken, Provider, Result};
use barkeep_types::Timeframe;
use chrono::{NaiveDate, TimeDelta};
use reqwest::Client;
use url::Url;

use crate::endpoint::Endpoint;
use crate::http::{self, Body, Refused, Timeouts};
use crate::query::{self, Common};
use crate::{ConfigError, Credentials, refusal, wire};

/// The most bars that Alpaca puts on a page, and probably the most source minutes that it makes one from.
const PAGE: u32 = 10_000;
/// The first trading day of Alpaca's history: 2016-01-04, by New York's clock.
const EARLIEST: &str = "2016-01-04T05:00:00Z";
const MEBIBYTE: u64 = 1 << 20;

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

/// Alpaca's historical bars: stocks, and crypto under the feeds that are its places, `us` above all.
///
/// A clone shares the connections. Nothing is sent before the first request, and no request is repeated: wrap it in
/// `barkeep_provider`'s wrappers for that.
///
/// ```
/// use barkeep_alpaca::{Alpaca, Credentials, Plan};
///
/// let alpaca = Alpaca::new(Credentials::new("key", "secret")?).with_plan(Plan::Plus);
/// # Ok::<(), barkeep_alpaca::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Alpaca {
    credentials: Credentials,
    data: Endpoint,
    allowed_hosts: Vec<String>,
    plan: Plan,
    limits: Option<Limits>,
    common: Common,
    timeouts: Timeouts,
    use_proxy: bool,
    most_bytes: u64,
    // Made by the first request, and made anew when a setting changes.
    client: OnceLock<Client>,
}

impl Alpaca {
    /// A client of `https://data.alpaca.markets` on the free plan.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            data: Endpoint::data(),
            allowed_hosts: Vec::new(),
            plan: Plan::default(),
            limits: None,
            common: Common { page_bars: PAGE, ..Common::default() },
            timeouts: Timeouts::default(),
            use_proxy: true,
            most_bytes: 32 * MEBIBYTE,
            client: OnceLock::new(),
        }
    }

    /// A client with the credentials that [`Credentials::from_env`] finds.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that names the variable which is missing or malformed, never its value.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self::new(Credentials::from_env()?))
    }

    /// Asks another server: a host of Alpaca, one allowed before, or one on loopback, which alone may speak plain HTTP.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is malformed, has user info, or leads to a host that is not allowed.
    pub fn with_base_url(self, url: &str) -> Result<Self, ConfigError> {
        let data = Endpoint::parse(url, &self.allowed_hosts)?;
        Ok(Self { data, client: OnceLock::new(), ..self })
    }

    /// Lets credentials go to another host, such as a proxy of your own, over HTTPS.
    #[must_use]
    pub fn with_allowed_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Says what the subscription allows.
    #[must_use]
    pub fn with_plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// Says what the server allows, where that is not what a plan says: a simulator, or a proxy of your own.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits: Some(limits), ..self }
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
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, client: OnceLock::new(), ..self }
    }

    /// Reads at most this many bytes of an answer once decompressed, instead of 32 MiB. A full page has about 1.3 MB.
    #[must_use]
    pub fn with_response_limit(self, bytes: u64) -> Self {
        Self { most_bytes: bytes, ..self }
    }

    /// Leaves the system's proxy aside. It is used otherwise, except on loopback.
    #[must_use]
    pub fn without_proxy(self) -> Self {
        Self { use_proxy: false, client: OnceLock::new(), ..self }
    }

    async fn get(&self, url: Url) -> Result<std::result::Result<Body, Refused>> {
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let client = http::client(self.timeouts, self.use_proxy, self.data.is_loopback())?;
                self.client.get_or_init(|| client)
            }
        };
        http::get(client, url, self.credentials.headers(), self.most_bytes).await
    }
}

#[async_trait]
impl Provider for Alpaca {
    fn limits(&self) -> Limits {
        if let Some(limits) = &self.limits {
            return limits.clone();
        }
        let (requests, delay) = match self.plan {
            Plan::Basic => (200, TimeDelta::minutes(16)),
            Plan::Plus => (10_000, TimeDelta::zero()),
        };
        Limits {
            source_minutes_a_page: Some(PAGE),
            native_timeframes: vec![Timeframe::M1, Timeframe::D1],
            symbols_a_request: 200,
            // A comma takes three bytes in a URL; this leaves it well below what servers refuse.
            symbol_bytes_a_request: 2_000,
            requests_a_minute: Some(requests),
            delay,
            earliest: EARLIEST.parse().ok(),
            ..Limits::new(self.common.page_bars)
        }
    }

    async fn page(&self, request: &BarsRequest, token: Option<&PageToken>) -> Result<Page> {
        let Some(url) = query::bars_url(&self.data, &self.common, request, token)? else {
            return Ok(Page::default());
        };
        let body = match self.get(url).await? {
            Ok(body) => body,
            Err(refused) => return Err(refusal::error(refused, request, token)),
        };
        let (bars, next) = wire::bars(&body.bytes).map_err(|error| body.unreadable(error))?;
        let count: usize = bars.iter().map(|of| of.bars.len()).sum();
        let (symbols, more) = (request.symbols().len(), next.is_some());
        tracing::debug!(symbols, bars = count, more, request_id = ?body.request_id, "page");
        Ok(Page { bars, next, request_id: body.request_id, quota: body.quota })
    }
}

impl fmt::Debug for Alpaca {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Alpaca").field("data", &self.data).field("plan", &self.plan).finish_non_exhaustive()
    }
}
