//! What a job costs: added, claimed, worked on and done, until the database shows nothing unfinished.
//!
//!     cargo bench -p benches --bench queue
//!     cargo bench -p benches --bench queue -- --jobs 100000 --history 1000000
//!
//! PostgreSQL with fsync on. Rates move with the machine; the bytes and the server's CPU hardly do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use barkeep_database::{Postgres, PostgresSettings, Sqlite};
use barkeep_queue::{
    Budgets, Claim, Completion, Control, Inspect, Job, NewJob, PostgresQueue, Purse, Queue, Rate, Scope, SqliteQueue,
    Worker,
};
use barkeep_test_postgres::Server;
use serde_json::json;
use sqlx::{Connection, PgConnection};

const KIND: &str = "bench";
const WORKERS: usize = 8;
const BATCH: u16 = 100;

#[tokio::main]
async fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let jobs = number("--jobs", if is_test { 400 } else { 50_000 });
    let history = number("--history", if is_test { 400 } else { 200_000 });
    postgres(jobs, history).await;
    sqlite(jobs / 5).await;
}

fn number(name: &str, usual: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(usual)
}

async fn postgres(jobs: usize, history: usize) {
    let server = Server::start();
    let mut meter = PgConnection::connect(&server.url()).await.expect("the server has just started");
    let settings = PostgresSettings::new(server.url().parse().expect("its URL is one")).with_connections(20);
    let database = Postgres::connect_with(settings).await.expect("the server has just started");
    let queue = Arc::new(PostgresQueue::open(&database).await.expect("an empty database"));

    // Plans settle and files grow first.
    add(&*queue, jobs / 5).await;
    drain_by_workers(queue.clone(), None).await;
    for round in 1..=3 {
        println!("round {round}");
        measure("enqueue, 1,000 at a time, 2 callers", jobs, &mut meter, add(&*queue, jobs)).await;
        measure("drain by bare verbs, 8 x 100", jobs, &mut meter, drain_by_verbs(&*queue)).await;
        add(&*queue, jobs).await;
        measure("drain by 8 workers of 100", jobs, &mut meter, drain_by_workers(queue.clone(), None)).await;
        add(&*queue, jobs).await;
        let rate = Rate::new(1_000_000_000, Duration::from_secs(60)).expect("a rate");
        queue.set_budget(KIND, &rate).await.expect("a budget");
        let purse = Purse::new(queue.clone(), KIND).with_block(1_000);
        measure(
            "the same, a token each of a shared budget",
            jobs,
            &mut meter,
            drain_by_workers(queue.clone(), Some(purse.clone())),
        )
        .await;
        add(&*queue, jobs).await;
        for scope in [Scope::All, Scope::Kind(KIND.to_owned())] {
            queue.set_cap(&scope, Some(2 * 8 * u32::from(BATCH))).await.expect("a cap");
        }
        measure("the same, under two caps", jobs, &mut meter, drain_by_workers(queue.clone(), None)).await;
        add(&*queue, jobs).await;
        measure("the same, caps and budget", jobs, &mut meter, drain_by_workers(queue.clone(), Some(purse))).await;
        for scope in [Scope::All, Scope::Kind(KIND.to_owned())] {
            queue.set_cap(&scope, None).await.expect("no cap");
        }
    }
    add(&*queue, history).await;
    drain_by_workers(queue.clone(), None).await;
    add(&*queue, jobs).await;
    let name = format!("drain by workers, {} finished", jobs / 5 + 15 * jobs + history);
    measure(&name, jobs, &mut meter, drain_by_workers(queue.clone(), None)).await;
    held_snapshot(&server, &*queue, jobs).await;
}

async fn sqlite(jobs: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Sqlite::open(folder.path().join("queue.db")).await.expect("a new file");
    let queue = Arc::new(SqliteQueue::open(&database).await.expect("a new file"));
    let began = Instant::now();
    add(&*queue, jobs).await;
    print("SQLite: enqueue, 1,000 at a time", jobs, began.elapsed(), 0, Duration::ZERO);
    let began = Instant::now();
    drain_by_workers(queue, None).await;
    print("SQLite: drain by 8 workers of 100", jobs, began.elapsed(), 0, Duration::ZERO);
}

/// How much longer claims of one take while an old snapshot keeps what is dead from being cleared away.
async fn held_snapshot(server: &Server, queue: &dyn Both, jobs: usize) {
    let claim = Claim::new(KIND, "bench");
    let claims = async || {
        let mut took = Vec::new();
        for _ in 0..50 {
            let began = Instant::now();
            let lease = queue.claim(&claim).await.expect("the database answers").remove(0);
            took.push(began.elapsed());
            queue.complete(&[Completion::new(lease.key())]).await.expect("the database answers");
        }
        took.sort();
        took[took.len() / 2]
    };
    add(queue, jobs).await;
    let clean = claims().await;
    let mut holder = PgConnection::connect(&server.url()).await.expect("a connection");
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").execute(&mut holder).await.expect("a snapshot");
    for _ in 0..4 {
        add(queue, jobs).await;
        drain(queue, jobs).await;
    }
    let held = claims().await;
    println!("claim of 1: {clean:?} clean, {held:?} under a snapshot held over {} jobs", 4 * jobs);
    benches::print_ratio("queue/held_snapshot", held.as_secs_f64() / clean.as_secs_f64());
    holder.close().await.expect("a connection closes");
    drain_by_verbs(queue).await;
}

trait Both: Queue + Inspect {}
impl<Q: Queue + Inspect> Both for Q {}

async fn add(queue: &dyn Queue, jobs: usize) {
    // No key twice, since some may still be live.
    static KEYS: AtomicUsize = AtomicUsize::new(0);
    let key = KEYS.fetch_add(jobs, Ordering::Relaxed);
    let half = |first: usize| async move {
        for batch in (first..jobs).step_by(2_000) {
            let new = |number: usize| {
                let payload =
                    json!({"symbol": "AAPL", "timeframe": "h1", "from": number, "to": number + 1, "feed": "sip"});
                NewJob::new(KIND, payload).with_key(format!("slice-{}", key + number))
            };
            let batch: Vec<NewJob> = (batch..(batch + 1_000).min(jobs)).map(new).collect();
            queue.enqueue(&batch).await.expect("the database answers");
        }
    };
    tokio::join!(half(0), half(1_000));
}

async fn drain_by_verbs(queue: &dyn Both) {
    let one = || drain(queue, usize::MAX);
    tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
    assert_eq!(queue.counts().await.expect("the database answers")[KIND].live(), 0);
}

async fn drain(queue: &dyn Both, most: usize) {
    let claim = Claim::new(KIND, "bench").with_limit(BATCH);
    let mut done = 0;
    while done < most {
        let leases = queue.claim(&claim).await.expect("the database answers");
        if leases.is_empty() {
            return;
        }
        done += leases.len();
        let completions: Vec<_> = leases.iter().map(|lease| Completion::new(lease.key())).collect();
        queue.complete(&completions).await.expect("the database answers");
    }
}

async fn drain_by_workers<Q: Queue + Inspect>(queue: Arc<Q>, purse: Option<Purse>) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let purse = purse.clone();
        let work = move |job: Job| {
            let purse = purse.clone();
            async move {
                if let Some(purse) = &purse {
                    purse.take().await.expect("the database answers");
                }
                job.done().into()
            }
        };
        let worker =
            Worker::new(queue.clone(), KIND, work).with_concurrency(BATCH).with_linger(Duration::from_millis(1));
        workers.spawn(async move { worker.run_until_idle().await.expect("the database answers") });
    }
    workers.join_all().await;
    assert_eq!(queue.counts().await.expect("the database answers")[KIND].live(), 0);
}

async fn measure(name: &str, jobs: usize, meter: &mut PgConnection, work: impl Future<Output = ()>) {
    let server = postmaster(meter).await;
    let (wal, cpu, began) = (wal(meter).await, server_cpu(server), Instant::now());
    work.await;
    print(name, jobs, began.elapsed(), self::wal(meter).await - wal, server_cpu(server).saturating_sub(cpu));
}

fn print(name: &str, jobs: usize, took: Duration, wal: i64, cpu: Duration) {
    let rate = jobs as f64 / took.as_secs_f64();
    let (wal, cpu) = (wal as f64 / jobs as f64, cpu.as_secs_f64() * 1e6 / jobs as f64);
    println!("{name:<48} {rate:>8.0} jobs/s {cpu:>6.1} us server CPU/job {wal:>6.0} B WAL/job");
}

async fn wal(meter: &mut PgConnection) -> i64 {
    let written = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
    sqlx::query_scalar(written).fetch_one(meter).await.expect("the server answers")
}

/// The process that all sessions of the server are children of; nought where there is no /proc.
async fn postmaster(meter: &mut PgConnection) -> u64 {
    let session: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(meter).await.expect("the server answers");
    let stat = std::fs::read_to_string(format!("/proc/{session}/stat")).unwrap_or_default();
    fields(&stat).get(1).copied().unwrap_or(0)
}

/// User and system time of a server's processes, those that have ended included, in ticks of 10 ms.
fn server_cpu(postmaster: u64) -> Duration {
    let own = std::fs::read_to_string(format!("/proc/{postmaster}/stat")).unwrap_or_default();
    let ended: u64 = fields(&own).iter().skip(11).take(4).sum();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
    let ticks = stats.map(|stat| fields(&stat)).filter(|fields| fields.get(1) == Some(&postmaster));
    let running: u64 = ticks.filter_map(|fields| Some(fields.get(11)? + fields.get(12)?)).sum();
    Duration::from_millis(10 * (ended + running))
}

/// The numbers of /proc/*/stat that follow the name: the second is the parent, the twelfth to the fifteenth are times.
fn fields(stat: &str) -> Vec<u64> {
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    numbers.map(|field| field.parse().unwrap_or(0)).collect()
}
