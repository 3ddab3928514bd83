use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::counters::Requests;
use crate::faults::{Fault, Injection};
use crate::market::Market;
use crate::options::Options;
use crate::shared::Shared;
use crate::{Error, wire};

/// An Alpaca on 127.0.0.1, for as long as this value lives.
#[derive(Debug)]
pub struct AlpacaSim {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl AlpacaSim {
    /// The options to start from.
    pub fn options() -> Options {
        Options::default()
    }

    pub(crate) async fn start(options: Options) -> Result<Self, Error> {
        let port = options.port;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::PortInUse { port, source },
            _ => Error::Listen { port, source },
        })?;
        let address = listener.local_addr().map_err(|source| Error::Listen { port, source })?;
        let shared = Arc::new(Shared::new(options));
        let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
        connections.spawn(accept(listener, shared.clone(), stop.clone(), connections.clone()));
        Ok(Self { address, shared, stop, connections })
    }

    /// Where to send requests: `http://127.0.0.1:PORT`, for market data and trading endpoints alike.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far.
    pub fn requests(&self) -> Requests {
        self.shared.requests()
    }

    /// Path and query of every page of bars served without a fault, in order.
    pub fn served(&self) -> Vec<String> {
        self.shared.served()
    }

    /// Lets something go wrong: once, with the next request for bars, unless the injection says otherwise. What was
    /// injected first goes first.
    pub fn inject(&self, injection: impl Into<Injection>) {
        self.shared.script().add(injection.into());
    }

    /// Lets a share of the requests for bars, 0 to 1, meet one of some faults: drawn from the seed and the number of the
    /// request.
    pub fn inject_at_random(&self, seed: u64, share: f64, faults: impl IntoIterator<Item = Fault>) {
        self.shared.script().add_at_random(seed, share, faults.into_iter().collect());
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.shared.script().clear();
    }

    /// What trades.
    pub fn market(&self) -> &Market {
        &self.shared.options.market
    }

    /// Moves the time of a simulator started with [`Options::with_now`]; another clock goes its own way.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.shared.set_now(now);
    }

    /// Stops to serve; answers under way are cut off.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.connections.close();
        self.connections.wait().await;
    }
}

impl Drop for AlpacaSim {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, connections: TaskTracker) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        // A connection that breaks while it is accepted, or later, is the caller's loss alone.
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors: others have to end theirs first.
            tokio::task::yield_now().await;
            continue;
        };
        let (shared, stop) = (shared.clone(), stop.clone());
        connections.spawn(async move { stop.run_until_cancelled(wire::serve(stream, shared)).await });
    }
}
