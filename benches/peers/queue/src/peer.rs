use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How many jobs work at once where workers are equal.
pub const WORKERS: usize = 8;
/// How many jobs a worker has at most, claimed or waiting for their end to be written, where workers are equal.
pub const BATCH: u16 = 100;
/// What jobs are called.
pub const KIND: &str = "bench";

pub type Anything<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A queue in one configuration, in a database of its own.
#[async_trait]
pub trait Peer: Send + Sync {
    /// What ratios and tables call it, as `graphile_worker/equal`.
    fn name(&self) -> &'static str;

    /// Adds `count` jobs in one call. `first` makes them unique where the peer has such a thing.
    async fn add(&self, first: usize, count: usize) -> Anything<()>;

    /// Works until nothing is left, or until `done` says that every job was seen; may return before the endings are written.
    async fn work(&self, done: Arc<Seen>) -> Anything<()>;

    /// Asks the database how many jobs have not ended.
    async fn unfinished(&self) -> Anything<i64>;
}

/// Counts the jobs that handlers were given, and tells when it was all of them.
#[derive(Debug)]
pub struct Seen {
    wanted: usize,
    count: AtomicUsize,
    all: Notify,
}

impl Seen {
    pub fn new(wanted: usize) -> Arc<Self> {
        Arc::new(Self { wanted, count: AtomicUsize::new(0), all: Notify::new() })
    }

    pub fn one(&self) {
        self.many(1);
    }

    pub fn many(&self, jobs: usize) {
        if self.count.fetch_add(jobs, Ordering::Relaxed) + jobs >= self.wanted {
            self.all.notify_waiters();
        }
    }

    pub async fn all(&self) {
        loop {
            let told = self.all.notified();
            if self.count() >= self.wanted {
                return;
            }
            told.await;
        }
    }

    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// About 110 bytes, the same for everybody.
pub fn payload(number: usize) -> Value {
    json!({
        "symbol": "AAPL", "timeframe": "h1", "feed": "sip", "adjustment": "raw",
        "from": 1_700_000_000 + number, "to": 1_700_003_600 + number,
    })
}
