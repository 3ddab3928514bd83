use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{Block, Budgets, Grant, Result};

/// One process' share of a budget: takes tokens from the database in blocks, and spends them one by one.
///
/// A clone shares the purse. Tokens that were not spent while they were good are given back. Where a whole block is spent faster
/// than it goes bad, the next is asked for when half of it is spent: whoever asks waits for the database, and the others spend
/// the rest meanwhile. Where it is spent much faster the next is twice as large, up to what is spent in half of the time for
/// which tokens are good.
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
    least: u32,
    stock: Arc<Mutex<Stock>>,
    // Held while waiting for tokens, so that one asks for all, and all who wait are served in turn.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Blocks in hand: the one that is being spent and perhaps the next, and what is no longer good of others.
#[derive(Debug, Default)]
struct Stock {
    blocks: Vec<Held>,
    /// How many tokens the next block is to have, if more than the least.
    wanted: u32,
}

#[derive(Debug)]
struct Held {
    block: Block,
    good_until: Instant,
    /// With how many tokens left to ask for the next block; none if that was done, or if tokens are scarce, as they are when fewer
    /// were granted than wanted.
    low: Option<u32>,
}

impl Purse {
    /// A purse for the budget of this name, which takes 10 tokens at a time, and more as they are spent.
    pub fn new(budgets: Arc<dyn Budgets>, name: impl Into<Arc<str>>) -> Self {
        Self { budgets, name: name.into(), least: 10, stock: Arc::default(), turn: Arc::default() }
    }

    /// Takes `block` tokens at a time, at least one, and more only where they are spent fast. More than can be spent while they
    /// are good is wasteful.
    #[must_use]
    pub fn with_block(self, block: u32) -> Self {
        Self { least: block.max(1), ..self }
    }

    /// Takes one token, for one request that is to be sent at once; waits until there is one.
    ///
    /// Safe to drop: no token is taken then, but some may come to be in stock.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) if there is no such budget, or if the database could not answer.
    pub async fn take(&self) -> Result<()> {
        if self.stock().is_running_low() {
            let _turn = self.turn.lock().await;
            // The others spend what is left meanwhile.
            self.ask().await?;
        }
        if self.stock().spend() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        while !self.stock().spend() {
            // What is left is no longer good.
            self.empty().await?;
            if let Some(wait) = self.ask().await? {
                sleep(wait.max(Duration::from_millis(1))).await;
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

    /// Puts a block into stock, or returns when to ask again.
    async fn ask(&self) -> Result<Option<Duration>> {
        // Before asking: tokens must not be good for longer here than they are there.
        let asked_at = Instant::now();
        let wanted = self.stock().wanted.max(self.least);
        match self.budgets.reserve(&self.name, wanted).await? {
            Grant::Granted(block) => {
                self.stock().put(block, wanted, asked_at + block.hold);
                Ok(None)
            }
            Grant::Wait { wait } => Ok(Some(wait)),
        }
    }

    async fn empty(&self) -> Result<()> {
        let left = self.stock().empty();
        for held in left.iter().filter(|held| held.block.tokens > 0) {
            self.budgets.give_back(&self.name, &held.block).await?;
        }
        Ok(())
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    fn put(&mut self, block: Block, wanted: u32, good_until: Instant) {
        let is_whole = block.tokens >= wanted;
        if !is_whole {
            self.wanted = 0;
        }
        let low = (is_whole && wanted > 1).then_some(block.tokens / 2);
        self.blocks.push(Held { block, good_until, low });
    }

    fn spend(&mut self) -> bool {
        self.blocks.retain(|held| held.block.tokens > 0);
        let now = Instant::now();
        let good = self.blocks.iter_mut().find(|held| now < held.good_until);
        good.map(|held| held.block.tokens -= 1).is_some()
    }

    /// Whether to ask for the next block now: once a block, when half of it was spent in less than half of the time for which
    /// it is good. In less than an eighth, the next may be twice as large and will still be spent in half of that time.
    fn is_running_low(&mut self) -> bool {
        let [held] = &mut self.blocks[..] else { return false };
        let Some(low) = held.low.filter(|low| held.block.tokens <= *low) else { return false };
        let (left, hold) = (held.good_until.saturating_duration_since(Instant::now()), held.block.hold);
        if left <= hold / 2 {
            return false;
        }
        held.low = None;
        if left > hold * 7 / 8 {
            self.wanted = low.saturating_mul(4);
        }
        true
    }

    /// Takes all out. If some is left, blocks were too large.
    fn empty(&mut self) -> Vec<Held> {
        let left = std::mem::take(&mut self.blocks);
        if left.iter().any(|held| held.block.tokens > 0) {
            self.wanted = 0;
        }
        left
    }
}
