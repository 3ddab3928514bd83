use std::sync::OnceLock;

use barkeep_provider::Result;
use reqwest::Client;
use reqwest::header::HeaderMap;
use url::Url;

use crate::endpoint::Endpoint;
use crate::http::{self, Body, Refused, Timeouts};

/// How requests are made, whichever server they go to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) timeouts: Timeouts,
    pub(crate) use_proxy: bool,
    pub(crate) most_bytes: u64,
}

/// One of Alpaca's servers, and the connections to it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    endpoint: Endpoint,
    // Made by the first request.
    client: OnceLock<Client>,
}

impl Server {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, client: OnceLock::new() }
    }

    /// The same server without its connections, for when requests shall be made in another manner.
    pub(crate) fn anew(self) -> Self {
        Self::new(self.endpoint)
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) async fn get(
        &self,
        url: Url,
        credentials: HeaderMap,
        manner: Manner,
    ) -> Result<std::result::Result<Body, Refused>> {
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let client = http::client(manner.timeouts, manner.use_proxy, self.endpoint.is_loopback())?;
                self.client.get_or_init(|| client)
            }
        };
        http::get(client, url, credentials, manner.most_bytes).await
    }
}
