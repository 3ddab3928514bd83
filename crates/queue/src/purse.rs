use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{Block, Budgets, Grant, Result};

/// One process' share of a budget: takes tokens from the database in blocks, and spends them one by one.
///
/// A clone shares the purse. Tokens that were not spent while they were good are given back.
///
/// ```no_run
/// # async fn fetch() {}
/// # async fn example(queue: std::sync::Arc<dyn barkeep_queue::Budgets>) -> Result<(), barkeep_queue::Error> {
/// let purse = barkeep_queue::Purse::new(queue, "vendor");
/// purse.take().await?; // Waits for its turn.
/// fetch().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Purse {
    budgets: Arc<dyn Budgets>,
    name: Arc<str>,
    block: u32,
    stock: Arc<Mutex<Stock>>,
    // Held while waiting for tokens, so that one asks for all, and all who wait are served in turn.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Stock {
    block: Option<Block>,
    good_until: Instant,
}

impl Purse {
    /// A purse for the budget of this name, which takes up to 10 tokens at a time.
    pub fn new(budgets: Arc<dyn Budgets>, name: impl Into<Arc<str>>) -> Self {
        let stock = Stock { block: None, good_until: Instant::now() };
        Self { budgets, name: name.into(), block: 10, stock: Arc::new(Mutex::new(stock)), turn: Arc::default() }
    }

    /// Takes up to `block` tokens at a time; at least one. More than can be spent while they are good is wasteful.
    #[must_use]
    pub fn with_block(self, block: u32) -> Self {
        Self { block: block.max(1), ..self }
    }

    /// Takes one token, for one request that is to be sent at once; waits until there is one.
    ///
    /// Safe to drop: no token is taken then, but some may come to be in stock.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) if there is no such budget, or if the database could not answer.
    pub async fn take(&self) -> Result<()> {
        if self.stock().spend() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        while !self.stock().spend() {
            // What is left is no longer good.
            self.empty().await?;
            // Before asking: tokens must not be good for longer here than they are there.
            let asked_at = Instant::now();
            match self.budgets.reserve(&self.name, self.block).await? {
                Grant::Granted(block) => {
                    *self.stock() = Stock { block: Some(block), good_until: asked_at + block.hold };
                }
                Grant::Wait { wait } => sleep(wait.max(Duration::from_millis(1))).await,
            }
        }
        Ok(())
    }

    /// Lets nobody have a token for `time`, in any process: the provider said so. What is in stock here is given back.
    ///
    /// # Errors
    ///
    /// As for [`take`](Self::take).
    pub async fn block(&self, time: Duration) -> Result<()> {
        self.budgets.block(&self.name, time).await?;
        self.empty().await
    }

    /// Gives back what is in stock: before a pause, or at the end.
    ///
    /// # Errors
    ///
    /// As for [`take`](Self::take).
    pub async fn give_back(&self) -> Result<()> {
        self.empty().await
    }

    async fn empty(&self) -> Result<()> {
        let left = self.stock().block.take();
        match left {
            Some(block) if block.tokens > 0 => self.budgets.give_back(&self.name, &block).await,
            _ => Ok(()),
        }
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    fn spend(&mut self) -> bool {
        match &mut self.block {
            Some(block) if block.tokens > 0 && Instant::now() < self.good_until => {
                block.tokens -= 1;
                true
            }
            _ => false,
        }
    }
}
