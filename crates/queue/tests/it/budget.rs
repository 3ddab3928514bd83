//! A shared budget is never overspent, in any window, by any number of processes, however they time their requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use barkeep_queue::conformance::Subject;
use barkeep_queue::{Block, BudgetState, Budgets, Grant, MemoryQueue, Purse, Rate, Result};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::time::Instant;

const NAME: &str = "vendor";

/// What one of several processes does.
#[derive(Clone, Debug)]
enum Act {
    /// Asks for tokens.
    Reserve {
        process: usize,
        wanted: u32,
    },
    /// Spends up to so many of those it holds that are still good.
    Spend {
        process: usize,
        tokens: u32,
    },
    /// Gives back all that it holds, good or not.
    GiveBack {
        process: usize,
    },
    Pass {
        millis: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_usize..3, 1_u32..12).prop_map(|(process, wanted)| Act::Reserve { process, wanted }),
        4 => (0_usize..3, 1_u32..12).prop_map(|(process, tokens)| Act::Spend { process, tokens }),
        1 => (0_usize..3).prop_map(|process| Act::GiveBack { process }),
        4 => (1_u64..1_500).prop_map(|millis| Act::Pass { millis }),
    ]
}

fn rate() -> impl Strategy<Value = (Rate, u32, Duration)> {
    (2_u32..40, 1_u64..10, 0_u64..3_000, 1_u32..100).prop_map(|(limit, seconds, hold, burst)| {
        let window = Duration::from_secs(seconds);
        let burst = 1 + burst % (limit - 1);
        let rate = Rate::new(limit, window).unwrap().with_burst(burst).unwrap();
        (rate.with_hold(Duration::from_millis(hold)).unwrap(), limit, window)
    })
}

/// Plays on a clock of its own, which is the queue's but for the time that a real database takes: tokens are taken for good
/// for a little less than they are, as a real process does that looks at its clock before it asks.
async fn play(queue: &dyn Subject, name: &str, (rate, limit, window): (Rate, u32, Duration), acts: &[Act]) -> Vec<u64> {
    queue.set_budget(name, &rate).await.unwrap();
    let mut now = 0_u64;
    let mut spent = Vec::new();
    let mut held: [Vec<(Block, u64)>; 3] = Default::default();
    for act in acts {
        match *act {
            Act::Reserve { process, wanted } => {
                if let Grant::Granted(block) = queue.reserve(name, wanted).await.unwrap() {
                    held[process].push((block, now + block.hold.as_millis() as u64));
                }
            }
            Act::Spend { process, mut tokens } => {
                for (block, good_until) in &mut held[process] {
                    let some = if *good_until >= now { block.tokens.min(tokens) } else { 0 };
                    block.tokens -= some;
                    tokens -= some;
                    spent.extend(std::iter::repeat_n(now, some as usize));
                }
            }
            Act::GiveBack { process } => {
                for (block, _) in held[process].drain(..) {
                    queue.give_back(name, &block).await.unwrap();
                }
            }
            Act::Pass { millis } => {
                now += millis;
                queue.advance(Duration::from_millis(millis));
            }
        }
    }
    overspent(&spent, limit, window)
}

/// When more than the limit was spent in the window that began then.
fn overspent(spent: &[u64], limit: u32, window: Duration) -> Vec<u64> {
    let ends = |start: u64| start + window.as_millis() as u64;
    let in_window = |start: u64| spent.iter().filter(|at| (start..ends(start)).contains(*at)).count();
    spent.iter().copied().filter(|start| in_window(*start) > limit as usize).collect()
}

#[test]
fn no_window_ever_holds_more_than_the_limit() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let histories = (rate(), vec(act(), 1..120));
    TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() })
        .run(&histories, |(rate, acts)| {
            let broken = runtime.block_on(play(&MemoryQueue::new(), NAME, rate, &acts));
            prop_assert_eq!(broken, Vec::<u64>::new());
            Ok(())
        })
        .unwrap();
}

/// Real databases, whose clocks also move by themselves, hand out what the model would, give or take that time.
fn no_window_of<F: Future<Output = (impl Subject, impl Sized)>>(open: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (queue, _guard) = runtime.block_on(open());
    let case = std::sync::atomic::AtomicU32::new(0);
    let histories = (rate(), vec(act(), 1..60));
    TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() })
        .run(&histories, |((rate, limit, window), acts)| {
            let name = case.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
            // The tokens earned while the test itself ran: at most one, unless the pace is a token every few milliseconds.
            let slack = 1 + (2_000 / rate.interval().as_millis().max(1)) as u32;
            let broken = runtime.block_on(play(&queue, &name, (rate, limit + slack, window), &acts));
            prop_assert_eq!(broken, Vec::<u64>::new());
            Ok(())
        })
        .unwrap();
}

#[test]
fn no_window_of_sqlite_holds_more_than_the_limit() {
    no_window_of(crate::sqlite::queue);
}

#[test]
fn no_window_of_postgres_holds_more_than_the_limit() {
    no_window_of(crate::postgres::queue);
}

/// A budget on tokio's clock: the queue's moves along with it.
async fn purses(count: usize) -> (Arc<MemoryQueue>, Vec<Purse>) {
    let queue = Arc::new(MemoryQueue::new());
    let rate = Rate::new(20, Duration::from_secs(10)).unwrap().with_burst(4).unwrap();
    queue.set_budget(NAME, &rate.with_hold(Duration::from_secs(1)).unwrap()).await.unwrap();
    let purses = (0..count).map(|_| Purse::new(queue.clone() as Arc<dyn Budgets>, NAME).with_block(3)).collect();
    (queue, purses)
}

#[tokio::test(start_paused = true)]
async fn purses_spend_near_the_limit_and_never_above() {
    let (queue, purses) = purses(3).await;
    let began = Instant::now();
    let spending = |purse: Purse| async move {
        let mut spent = Vec::new();
        while began.elapsed() < Duration::from_secs(100) {
            purse.take().await.unwrap();
            spent.push(began.elapsed().as_millis() as u64);
        }
        spent
    };
    let tasks: Vec<_> = purses.into_iter().map(|purse| tokio::spawn(spending(purse))).collect();
    let mut passed = Duration::ZERO;
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        queue.advance(began.elapsed() - passed);
        passed = began.elapsed();
    }
    let mut spent = Vec::new();
    for task in tasks {
        spent.extend(task.await.unwrap());
    }
    assert_eq!(overspent(&spent, 20, Duration::from_secs(10)), Vec::<u64>::new());
    // 16 tokens in 11 s is the pace; 145 in 100 s.
    assert!(spent.len() >= 140, "{}", spent.len());
}

#[tokio::test(start_paused = true)]
async fn a_block_stops_every_purse() {
    let (queue, purses) = purses(2).await;
    purses[0].take().await.unwrap();
    purses[0].block(Duration::from_secs(60)).await.unwrap();
    let began = Instant::now();
    let waiting = purses[1].take();
    let (taken, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_secs(59)).await;
        queue.advance(Duration::from_secs(60));
    });
    taken.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(59));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_budget_is_told_to_whoever_takes_from_it() {
    let purse = Purse::new(Arc::new(MemoryQueue::new()), "nobody");
    assert_eq!(purse.take().await.unwrap_err().code(), "VALIDATION_ERROR");
}

/// A budget that answers after a while, as one in a database does, and keeps for how many tokens it was asked.
#[derive(Debug)]
struct Far {
    budgets: MemoryQueue,
    asked: Mutex<Vec<u32>>,
}

impl Far {
    fn asked(&self) -> Vec<u32> {
        self.asked.lock().unwrap().clone()
    }
}

const WAY: Duration = Duration::from_millis(100);

#[async_trait]
impl Budgets for Far {
    async fn set_budget(&self, name: &str, rate: &Rate) -> Result<()> {
        self.budgets.set_budget(name, rate).await
    }

    async fn reserve(&self, name: &str, wanted: u32) -> Result<Grant> {
        self.asked.lock().unwrap().push(wanted);
        tokio::time::sleep(WAY).await;
        self.budgets.reserve(name, wanted).await
    }

    async fn give_back(&self, name: &str, block: &Block) -> Result<()> {
        self.budgets.give_back(name, block).await
    }

    async fn block(&self, name: &str, time: Duration) -> Result<()> {
        self.budgets.block(name, time).await
    }

    async fn set_budget_of(&self, kind: &str, budget: Option<&str>) -> Result<()> {
        self.budgets.set_budget_of(kind, budget).await
    }

    async fn budget(&self, name: &str) -> Result<Option<BudgetState>> {
        self.budgets.budget(name).await
    }
}

/// A purse with blocks of 100 that are good for 10 s, of a budget with so many to hand out at once.
async fn far(burst: u32) -> (Arc<Far>, Purse) {
    let far = Arc::new(Far { budgets: MemoryQueue::new(), asked: Mutex::default() });
    let rate = Rate::new(1_000_000, Duration::from_secs(600)).unwrap().with_burst(burst).unwrap();
    far.set_budget(NAME, &rate.with_hold(Duration::from_secs(10)).unwrap()).await.unwrap();
    (far.clone(), Purse::new(far, NAME).with_block(100))
}

async fn take(purse: &Purse, tokens: usize) {
    for _ in 0..tokens {
        purse.take().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_block_is_asked_for_when_half_of_one_is_spent() {
    let (far, purse) = far(1_000).await;
    take(&purse, 50).await;
    let began = Instant::now();
    let spending = async {
        // After the one who asks.
        tokio::task::yield_now().await;
        take(&purse, 50).await;
        assert_eq!(began.elapsed(), Duration::ZERO, "the others need not wait");
    };
    tokio::join!(take(&purse, 1), spending);
    assert_eq!(began.elapsed(), WAY);
    take(&purse, 49).await;
    assert_eq!((began.elapsed(), far.asked().len()), (WAY, 2));
    purse.give_back().await.unwrap();
    assert_eq!(far.budget(NAME).await.unwrap().unwrap().spent_today, 150);
}

#[tokio::test(start_paused = true)]
async fn no_block_is_asked_for_ahead_of_one_that_is_spent_slowly() {
    let (far, purse) = far(1_000).await;
    take(&purse, 50).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    take(&purse, 50).await;
    assert_eq!(far.asked(), [100]);
}

#[tokio::test(start_paused = true)]
async fn no_block_is_asked_for_ahead_while_tokens_are_scarce() {
    let (far, purse) = far(99).await;
    take(&purse, 99).await;
    assert_eq!(far.asked(), [100]);
}

#[tokio::test(start_paused = true)]
async fn blocks_grow_while_half_of_the_time_is_enough_to_spend_them() {
    let (far, purse) = far(100_000).await;
    let began = Instant::now();
    for _ in 0..50_000 {
        purse.take().await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let asked = far.asked();
    assert_eq!(asked[..4], [100, 200, 400, 800]);
    // Each is asked for when half of the one before is left, which is to be spent first.
    let while_good = 50_000.0 * 10.0 / began.elapsed().as_secs_f64();
    let largest = f64::from(*asked.iter().max().unwrap()) / while_good;
    assert!((1.0 / 6.0..=1.0 / 3.0).contains(&largest), "{while_good} in 10 s: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn blocks_are_small_again_when_tokens_went_bad() {
    let (far, purse) = far(1_000).await;
    take(&purse, 51).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    take(&purse, 51).await;
    assert_eq!(far.asked(), [100, 200, 100, 200]);
}

#[tokio::test(start_paused = true)]
async fn blocks_are_small_again_when_tokens_are_scarce() {
    // The second block cannot be whole, however long the machine takes.
    let (far, purse) = far(199).await;
    while far.asked().len() < 3 {
        let _ = tokio::time::timeout(2 * WAY, purse.take()).await;
    }
    assert_eq!(far.asked()[..3], [100, 200, 100]);
}
