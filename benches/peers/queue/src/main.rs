//! Our queue beside others, on the same server: what it takes to add jobs and to drain them, until the database shows
//! nothing unfinished. See README.md.

mod apalis_peer;
mod awa_peer;
mod barkeep;
mod graphile;
#[path = "../../../queue/meter.rs"]
mod meter;
mod peer;
mod pgmq_peer;
#[path = "../../../processor.rs"]
mod processor;
mod report;

use std::time::Duration;

use barkeep_test_postgres::{Server, Stop, TestDatabase};
use sqlx::{Connection, Executor, PgConnection};

use barkeep::{Barkeep, Way};
use meter::Meter;
use peer::{Anything, Peer, Seen};
use report::{Report, What};

/// A drain that takes longer has stalled; what it reached then is not counted.
const PATIENCE: Duration = Duration::from_secs(120);

/// A peer, its database, and how many jobs it is given a round: enough for a second or so.
struct Arm {
    peer: Box<dyn Peer>,
    database: TestDatabase,
    jobs: usize,
}

#[tokio::main]
async fn main() -> Anything<()> {
    let (rounds, scale) = (number("--rounds", 5)?, number("--percent", 100)?);
    let only = std::env::args().skip_while(|argument| argument != "--only").nth(1);
    let server = Server::start_on_disk();
    settle_server(&server).await?;
    let arms = arms(&server.url(), scale, only.as_deref()).await?;
    let mut meter = Meter::new(&server.url()).await;

    // Plans settle and files grow first.
    println!("warming up");
    for arm in &arms {
        round(arm, arm.jobs / 5, &mut meter, &mut Report::default()).await?;
    }
    let mut report = Report::default();
    for number in 0..rounds {
        println!("round {}", number + 1);
        for place in 0..arms.len() {
            // Nobody always comes after the same.
            let arm = &arms[(place + number * 3) % arms.len()];
            round(arm, arm.jobs, &mut meter, &mut report).await?;
        }
    }
    report.print_table(&arms.iter().map(|arm| arm.peer.name()).collect::<Vec<_>>());
    print_ratios(&report);
    Ok(())
}

fn print_ratios(report: &Report) {
    let drain = |name: &str, ours, theirs| report.print_ratio(name, What::Drain, ours, theirs);
    drain("graphile_worker/equal", "barkeep/workers", "graphile_worker/equal");
    let best = report.best(&["graphile_worker/24", "graphile_worker/500", "graphile_worker/equal"]);
    println!("the best configuration of graphile_worker here: {best}");
    drain("graphile_worker/best", "barkeep/workers", best);
    drain("pgmq/read_archive", "barkeep/workers", "pgmq/100");
    drain("pgmq/read_archive_bare", "barkeep/verbs", "pgmq/100");
    drain("apalis_postgres/drain", "barkeep/workers", "apalis_postgres/100");
    let best = report.best(&["awa/1024", "awa/1024x8"]);
    println!("the best configuration of awa here: {best}");
    drain("awa/drain", "barkeep/workers", best);
    drain("graphile_worker/one_at_a_time", "barkeep/single", "graphile_worker/single");
    drain("graphile_worker/as_it_comes", "barkeep/default", "graphile_worker/single");
    drain("pgmq/one_at_a_time", "barkeep/single", "pgmq/1");
    for (name, theirs) in [
        ("graphile_worker/enqueue", "graphile_worker/equal"),
        ("pgmq/enqueue", "pgmq/100"),
        ("apalis_postgres/enqueue", "apalis_postgres/100"),
        ("awa/enqueue", "awa/1024"),
    ] {
        report.print_ratio(name, What::Enqueue, "barkeep/workers", theirs);
    }
}

/// Memory as a server of some size has it, and no checkpoint in the middle of a round; all else as it comes, fsync too.
async fn settle_server(server: &Server) -> Anything<()> {
    let mut connection = PgConnection::connect(&server.url()).await?;
    for setting in ["shared_buffers = '1GB'", "max_wal_size = '8GB'", "checkpoint_timeout = '1h'"] {
        connection.execute(sqlx::AssertSqlSafe(format!("ALTER SYSTEM SET {setting}"))).await?;
    }
    connection.close().await?;
    server.stop(Stop::Fast);
    server.resume();
    Ok(())
}

async fn arms(server: &str, percent: usize, only: Option<&str>) -> Anything<Vec<Arm>> {
    let mut arms = Vec::new();
    let is_wanted = |name: &str| only.is_none_or(|only| only.split(',').any(|part| name.contains(part)));
    for (name, jobs) in ARMS.iter().copied().filter(|(name, _)| is_wanted(name)) {
        let database = TestDatabase::on(server).await;
        let peer = open(name, database.url()).await?;
        arms.push(Arm { peer, database, jobs: (jobs * percent / 100).max(100) });
    }
    Ok(arms)
}

const ARMS: [(&str, usize); 13] = [
    ("barkeep/workers", 50_000),
    ("graphile_worker/equal", 50_000),
    ("graphile_worker/24", 50_000),
    ("graphile_worker/500", 50_000),
    ("pgmq/100", 50_000),
    ("barkeep/verbs", 50_000),
    ("apalis_postgres/100", 20_000),
    ("awa/1024", 20_000),
    ("awa/1024x8", 20_000),
    ("barkeep/single", 3_000),
    ("graphile_worker/single", 3_000),
    ("barkeep/default", 3_000),
    ("pgmq/1", 3_000),
];

async fn open(name: &'static str, url: &str) -> Anything<Box<dyn Peer>> {
    let graphile = |concurrency, local_queue, connections| graphile::Settings { concurrency, local_queue, connections };
    let awa = |claimers| awa_peer::Settings { max_workers: 1_024, claimers, connections: 20 };
    Ok(match name {
        "barkeep/workers" => Box::new(Barkeep::open(url, name, Way::Workers).await?),
        "barkeep/verbs" => Box::new(Barkeep::open(url, name, Way::Verbs).await?),
        "barkeep/single" => Box::new(Barkeep::open(url, name, Way::Single).await?),
        "barkeep/default" => Box::new(Barkeep::open(url, name, Way::Default).await?),
        "graphile_worker/equal" => Box::new(graphile::Graphile::open(url, name, graphile(8, Some(100), 12)).await?),
        "graphile_worker/24" => Box::new(graphile::Graphile::open(url, name, graphile(24, Some(500), 26)).await?),
        "graphile_worker/500" => Box::new(graphile::Graphile::open(url, name, graphile(500, Some(5_000), 26)).await?),
        "graphile_worker/single" => Box::new(graphile::Graphile::open(url, name, graphile(8, None, 12)).await?),
        "pgmq/100" => Box::new(pgmq_peer::Pgmq::open(url, name, 100).await?),
        "pgmq/1" => Box::new(pgmq_peer::Pgmq::open(url, name, 1).await?),
        "apalis_postgres/100" => Box::new(apalis_peer::Apalis::open(url, name).await?),
        "awa/1024" => Box::new(awa_peer::Awa::open(url, name, awa(1)).await?),
        "awa/1024x8" => Box::new(awa_peer::Awa::open(url, name, awa(8)).await?),
        _ => return Err(format!("there is no arm {name}").into()),
    })
}

/// Adds jobs and drains them, and clears up behind the arm so that its dead rows are nobody else's burden.
async fn round(arm: &Arm, jobs: usize, meter: &mut Meter, report: &mut Report) -> Anything<()> {
    let name = arm.peer.name();
    let (added, cost) = meter.measure(add(&*arm.peer, jobs)).await;
    added?;
    report.add(name, What::Enqueue, jobs, cost);
    let (drained, cost) = meter.measure(tokio::time::timeout(PATIENCE, drain(&*arm.peer, jobs))).await;
    match drained {
        Ok(drained) => {
            drained?;
            report.add(name, What::Drain, jobs, cost);
        }
        Err(_) => println!("{name:<28} stalled, {} left", arm.peer.unfinished().await?),
    }
    let mut connection = PgConnection::connect(arm.database.url()).await?;
    connection.execute("VACUUM ANALYZE").await?;
    Ok(connection.close().await?)
}

/// A thousand a call, two callers at once.
async fn add(peer: &dyn Peer, jobs: usize) -> Anything<()> {
    static FIRST: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let first = FIRST.fetch_add(jobs, std::sync::atomic::Ordering::Relaxed);
    let caller = |number: usize| async move {
        for batch in (number * 1_000..jobs).step_by(2_000) {
            peer.add(first + batch, (jobs - batch).min(1_000)).await?;
        }
        Anything::Ok(())
    };
    tokio::try_join!(caller(0), caller(1))?;
    Ok(())
}

async fn drain(peer: &dyn Peer, jobs: usize) -> Anything<()> {
    let seen = Seen::new(jobs);
    peer.work(seen.clone()).await?;
    let left = peer.unfinished().await?;
    if left > 0 || seen.count() < jobs {
        return Err(format!("{}: {left} of {jobs} jobs are left, {} were seen", peer.name(), seen.count()).into());
    }
    if seen.count() > jobs {
        println!("{:<28} ran {} jobs more than once", peer.name(), seen.count() - jobs);
    }
    Ok(())
}

fn number(name: &str, usual: usize) -> Anything<usize> {
    let given = std::env::args().skip_while(|argument| argument != name).nth(1);
    Ok(given.map_or(Ok(usual), |given| given.parse())?)
}
