//! What a job costs: added, claimed, worked on and done, until the database shows nothing unfinished.
//!
//!     cargo bench -p benches --bench queue
//!     cargo bench -p benches --bench queue -- --rounds 3 --jobs 30000 --history 200000
//!
//! PostgreSQL with fsync on, on a disk. Rates move with the machine; ratios within a round do so less, and the bytes and the
//! server's CPU hardly.

#[path = "queue/load.rs"]
mod load;
#[path = "queue/meter.rs"]
mod meter;
#[path = "queue/raw.rs"]
mod raw;
#[path = "queue/report.rs"]
mod report;
#[path = "queue/sqlite.rs"]
mod sqlite;

use std::sync::Arc;
use std::time::{Duration, Instant};

use barkeep_database::{Postgres, PostgresSettings};
use barkeep_queue::{Budgets, Claim, Completion, Control, PostgresQueue, Purse, Queue, Rate, Scope};
use barkeep_test_postgres::{Server, Stop, TestDatabase};
use benches::processor;
use sqlx::{Connection, Executor, PgConnection};

use load::{BATCH, KIND, WORKERS};
use meter::Meter;
use report::Report;

const RAW: &str = "the same statements cycled by pgbench";
const VERBS: &str = "drain by bare verbs, 8 x 100";
const PLAIN: &str = "drain by 8 workers of 100";
const BUDGET: &str = "... a token each of a shared budget";
const CAPS: &str = "... under two caps";
const CAPS_AND_BUDGET: &str = "... caps and budget";
const ONE: &str = "... bare verbs, 8 x 1";
const ONE_CAPPED: &str = "... one by one under two caps";
const YOUNG: &str = "... beside no history to speak of";
const OLD: &str = "... beside a long history";
const ARMS: [&str; 10] = [PLAIN, RAW, VERBS, BUDGET, CAPS, CAPS_AND_BUDGET, ONE, ONE_CAPPED, YOUNG, OLD];
/// How many times as many jobs as one by one are drained otherwise, where they take about as long.
const FEWER: usize = 10;

#[tokio::main]
async fn main() {
    if sqlite::is_child().await {
        return;
    }
    let is_test = std::env::args().any(|argument| argument == "--test");
    let jobs = number("--jobs", if is_test { 800 } else { 60_000 });
    let history = number("--history", if is_test { 800 } else { 1_000_000 });
    let rounds = number("--rounds", if is_test { 1 } else { 11 });
    let rate = postgres(jobs, history, rounds).await;
    benches::print_ratio("queue/sqlite_beside_postgres", sqlite::run(jobs / 5).await / rate);
}

fn number(name: &str, usual: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(usual)
}

/// Returns how many jobs workers drain in a second.
async fn postgres(jobs: usize, history: usize, rounds: usize) -> f64 {
    let server = Server::start_on_disk();
    settle(&server).await;
    let mut meter = Meter::new(&server.url()).await;
    let [plain, young, old] = [Bench::on(&server).await, Bench::on(&server).await, Bench::on(&server).await];
    // Plans settle and files grow first.
    for bench in [&plain, &young, &old] {
        bench.fill(jobs / 5).await;
    }
    old.fill(history).await;
    let mut report = Report::default();
    for round in 0..rounds {
        println!("round {}", round + 1);
        for place in 0..ARMS.len() {
            // Nobody always comes after the same.
            let arm = ARMS[(place + 3 * round) % ARMS.len()];
            let bench = match arm {
                YOUNG => &young,
                OLD => &old,
                _ => &plain,
            };
            bench.round(arm, jobs, &mut meter, &mut report).await;
        }
    }
    report.print_costs(PLAIN);
    report.print_ratio("workers_beside_raw_cycle", PLAIN, RAW, 0.85);
    report.print_ratio("verbs_beside_raw_cycle", VERBS, RAW, 0.85);
    report.print_ratio("with_budget", BUDGET, PLAIN, 0.9);
    report.print_ratio("with_caps", CAPS, PLAIN, 0.9);
    report.print_ratio("with_caps_and_budget", CAPS_AND_BUDGET, PLAIN, 0.9);
    report.print_ratio("one_by_one_with_caps", ONE_CAPPED, ONE, 0.6);
    println!("a long history: {} jobs that have ended", history + jobs / 5);
    report.print_ratio("with_long_history", OLD, YOUNG, 0.95);
    held_snapshot(&old, jobs).await;
    report.rate(PLAIN)
}

/// Memory as a server of some size has it, and no checkpoint in the middle of a round; all else as it comes, fsync too.
async fn settle(server: &Server) {
    let mut connection = PgConnection::connect(&server.url()).await.expect("the server has just started");
    for setting in ["shared_buffers = '1GB'", "max_wal_size = '8GB'", "checkpoint_timeout = '1h'"] {
        let statement = sqlx::AssertSqlSafe(format!("ALTER SYSTEM SET {setting}"));
        connection.execute(statement).await.expect("a superuser may");
    }
    connection.close().await.expect("a connection closes");
    server.stop(Stop::Fast);
    server.resume();
}

/// A queue in a database of its own.
struct Bench {
    database: TestDatabase,
    queue: Arc<PostgresQueue>,
    purse: Purse,
}

impl Bench {
    async fn on(server: &Server) -> Self {
        let database = TestDatabase::on(&server.url()).await;
        let settings = PostgresSettings::new(database.url().parse().expect("its URL is one")).with_connections(20);
        let pool = Postgres::connect_with(settings).await.expect("the server answers");
        let queue = Arc::new(PostgresQueue::open(&pool).await.expect("an empty database"));
        let rate = Rate::new(1_000_000_000, Duration::from_secs(60)).expect("a rate");
        queue.set_budget(KIND, &rate).await.expect("a budget");
        let purse = Purse::new(queue.clone(), KIND).with_block(1_000);
        Self { database, queue, purse }
    }

    /// Adds jobs and ends them.
    async fn fill(&self, jobs: usize) {
        load::add(&*self.queue, jobs).await;
        load::drain_by_workers(self.queue.clone(), None).await;
        self.vacuum().await;
    }

    async fn round(&self, arm: &'static str, jobs: usize, meter: &mut Meter, report: &mut Report) {
        let is_slow = [ONE, ONE_CAPPED].contains(&arm);
        let jobs = if is_slow { jobs / FEWER } else { jobs };
        let ((), cost) = meter.measure(load::add(&*self.queue, jobs)).await;
        if arm == PLAIN {
            report.add("enqueue, 1,000 at a time, 2 callers", jobs, cost);
        }
        let is_capped = [CAPS, CAPS_AND_BUDGET, ONE_CAPPED].contains(&arm);
        // Not to be reached: a worker has three times a batch leased while endings wait to be written.
        self.set_caps(is_capped.then_some(4 * WORKERS as u32 * u32::from(BATCH))).await;
        let purse = [BUDGET, CAPS_AND_BUDGET].contains(&arm).then(|| self.purse.clone());
        let ((), cost) = match arm {
            RAW => meter.measure(raw::cycle(self.database.url(), jobs)).await,
            VERBS => meter.measure(load::drain_by_verbs(&*self.queue, BATCH)).await,
            ONE | ONE_CAPPED => meter.measure(load::drain_by_verbs(&*self.queue, 1)).await,
            _ => meter.measure(load::drain_by_workers(self.queue.clone(), purse)).await,
        };
        report.add(arm, jobs, cost);
        self.set_caps(None).await;
        // pgbench may have left some.
        load::drain_by_verbs(&*self.queue, BATCH).await;
        self.vacuum().await;
    }

    async fn set_caps(&self, cap: Option<u32>) {
        for scope in [Scope::All, Scope::Kind(KIND.to_owned())] {
            self.queue.set_cap(&scope, cap).await.expect("the database answers");
        }
    }

    /// So that an arm's dead rows are nobody else's burden.
    async fn vacuum(&self) {
        let mut connection = PgConnection::connect(self.database.url()).await.expect("the server answers");
        connection.execute("VACUUM ANALYZE").await.expect("an owner may");
        connection.close().await.expect("a connection closes");
    }
}

/// How much longer claims of one take while an old snapshot keeps what is dead from being cleared away.
async fn held_snapshot(bench: &Bench, jobs: usize) {
    let queue = &*bench.queue;
    let claim = Claim::new(KIND, "bench");
    let claims = async || {
        let mut took = Vec::new();
        for _ in 0..50 {
            let began = Instant::now();
            let lease = queue.claim(&claim).await.expect("the database answers").remove(0);
            took.push(began.elapsed().as_secs_f64());
            queue.complete(&[Completion::new(lease.key())]).await.expect("the database answers");
        }
        benches::median(took)
    };
    load::add(queue, jobs).await;
    let clean = claims().await;
    let mut holder = PgConnection::connect(bench.database.url()).await.expect("a connection");
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.expect("a snapshot");
    for _ in 0..4 {
        load::add(queue, jobs).await;
        load::drain(queue, BATCH, jobs).await;
    }
    let held = claims().await;
    println!(
        "claim of 1: {:.0} us clean, {:.0} us under a snapshot held over {} jobs",
        clean * 1e6,
        held * 1e6,
        4 * jobs
    );
    benches::print_ratio("queue/held_snapshot", held / clean);
    println!("      at most 2 wanted");
    holder.close().await.expect("a connection closes");
    load::drain_by_verbs(queue, BATCH).await;
}
