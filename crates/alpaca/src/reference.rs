//! What is asked besides bars: within the limit, and again where that may help.

use barkeep_provider::{Calls, Result};
use serde::de::DeserializeOwned;
use url::Url;

use crate::server::Server;
use crate::{Alpaca, refusal};

impl Alpaca {
    /// Asks the trading API.
    pub(crate) async fn get_trading<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T> {
        self.get_json(&self.trading, path, query).await
    }

    /// Asks the market-data API for something other than bars.
    pub(crate) async fn get_data<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T> {
        self.get_json(&self.data, path, query).await
    }

    async fn get_json<T: DeserializeOwned>(&self, server: &Server, path: &[&str], query: &[(&str, &str)]) -> Result<T> {
        let mut url: Url = server.endpoint().join(path);
        url.query_pairs_mut().extend_pairs(query);
        self.retries.run(|| self.ask(server, url.clone())).await
    }

    async fn ask<T: DeserializeOwned>(&self, server: &Server, url: Url) -> Result<T> {
        let permit = server.allowance.take().await;
        let answer = server.get(url, self.credentials.headers(), &self.manner, &Calls::default()).await?;
        match answer {
            Ok(body) => {
                permit.told(body.quota);
                serde_json::from_slice(&body.bytes).map_err(|error| body.unreadable(error))
            }
            Err(refused) => {
                let error = refusal::error(refused);
                permit.refused(&error);
                Err(error)
            }
        }
    }
}
