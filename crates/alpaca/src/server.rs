use std::sync::OnceLock;

use barkeep_provider::{Allowance, Calls, Result};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client};
use url::Url;

use crate::endpoint::Endpoint;
use crate::http::{self, Body, Refused, Timeouts};

/// How requests are made, whichever server they go to.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) timeouts: Timeouts,
    pub(crate) use_proxy: bool,
    pub(crate) most_bytes: u64,
    /// Who may vouch for a server beside those whom the machine trusts.
    pub(crate) authorities: Vec<Certificate>,
}

/// One of Alpaca's servers, the connections to it, and the requests that may be made of it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    endpoint: Endpoint,
    pub(crate) allowance: Allowance,
    // Made by the first request.
    client: OnceLock<Client>,
}

impl Server {
    pub(crate) fn new(endpoint: Endpoint, requests_a_minute: u32) -> Self {
        Self { endpoint, allowance: Allowance::per_minute(requests_a_minute), client: OnceLock::new() }
    }

    /// The same account at another server.
    pub(crate) fn at(self, endpoint: Endpoint) -> Self {
        Self { endpoint, client: OnceLock::new(), ..self }
    }

    /// The same server without its connections, for when requests shall be made in another manner.
    pub(crate) fn anew(self) -> Self {
        Self { client: OnceLock::new(), ..self }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks for `url`, at once: the allowance is the caller's to heed.
    pub(crate) async fn get(
        &self,
        url: Url,
        credentials: HeaderMap,
        manner: &Manner,
        calls: &Calls,
    ) -> Result<std::result::Result<Body, Refused>> {
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let client = http::client(manner, self.endpoint.is_loopback())?;
                self.client.get_or_init(|| client)
            }
        };
        http::get(client.get(url).headers(credentials), manner.most_bytes, calls).await
    }
}
