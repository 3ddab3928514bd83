//! PostgreSQL with fsync on, on a disk: the store beside raw COPY and staging.

use std::time::{Duration, Instant};

use barkeep_store::{Commit, PostgresStore, Store};
use barkeep_test_postgres::TestDatabase;
use barkeep_types::{Bar, TimeRange};
use benches::median;
use sqlx::{Connection, PgConnection};

use crate::market::{self, PAGE};
use crate::reads::{self, open};
use crate::report::{Cost, at_least, at_most, best, figure, typical};
use crate::watch::Watch;
use crate::{raw, server};

pub struct Size {
    pub series: usize,
    pub pages: usize,
    pub repetitions: usize,
}

impl Size {
    pub fn range(&self) -> TimeRange {
        market::range(0, self.pages)
    }
}

/// The number of a series, the number of its page, and the bars.
pub type NumberedPage = (i32, usize, Vec<Bar>);

/// Runs on a server of its own, which is gone afterwards.
pub async fn run(size: &Size) {
    let server = server::start(&[]).await;
    println!("{} series of {} pages of {PAGE} bars, {} times", size.series, size.pages, size.repetitions);
    let mut runs = Vec::new();
    for _ in 0..size.repetitions {
        runs.push(Run::measure(&server.url(), size).await);
    }
    let one = report(&runs);
    two_connections(&server.url(), size, one).await;
    reads::run(&server.url(), size).await;
    server::stop(server).await;
}

/// One repetition of every path over the same bars.
struct Run {
    whole: Cost,
    copy: Cost,
    staging: Cost,
    fresh: Cost,
    compared: Cost,
    recognised: Cost,
    corrected: Cost,
    bytes_a_bar: f64,
}

impl Run {
    async fn measure(server: &str, size: &Size) -> Self {
        let database = TestDatabase::on(server).await;
        let store = open(database.url()).await;
        let mut watch = Watch::new(database.url()).await;
        let pages = pages(size);
        let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
        raw::create(&mut raw, "raw_copy", size.range()).await;
        raw::create(&mut raw, "raw_staging", size.range()).await;
        raw::create_whole(&mut raw, "raw_whole").await;

        // Page by page in turn, so that whatever disturbs the machine disturbs all alike.
        let [mut whole, mut copy, mut staging, mut fresh] = [const { Vec::new() }; 4];
        for (id, page, bars) in &pages {
            let commit = market::commit(*id as usize, *page, bars.clone());
            watch.start().await;
            raw::copy_page(&mut raw, "raw_whole", *id, bars).await;
            whole.push(watch.stop(PAGE).await);
            watch.start().await;
            raw::copy_page(&mut raw, "raw_copy", *id, bars).await;
            copy.push(watch.stop(PAGE).await);
            watch.start().await;
            raw::stage_page(&mut raw, "raw_staging", *id, bars).await;
            staging.push(watch.stop(PAGE).await);
            watch.start().await;
            store.commit(&commit).await.expect("a page is committed");
            fresh.push(watch.stop(PAGE).await);
        }
        let [whole, copy, staging, fresh] = [whole, copy, staging, fresh].map(|pages| typical(&pages));
        let bytes_a_bar = watch.bytes("barkeep.store_bar").await as f64 / (pages.len() * PAGE) as f64;
        let recognised = watch.commits(&store, &pages).await;
        watch.forget_digests().await;
        let compared = watch.commits(&store, &pages).await;
        let corrected = watch.commits(&store, &with_corrections(pages)).await;
        Self { whole, copy, staging, fresh, compared, recognised, corrected, bytes_a_bar }
    }
}

/// Prints what the paths took; returns what a raw COPY and a fresh page did.
fn report(runs: &[Run]) -> [Cost; 2] {
    let of = |cost: fn(&Run) -> Cost| best(&runs.iter().map(cost).collect::<Vec<_>>());
    let (whole, copy, staging) = (of(|run| run.whole), of(|run| run.copy), of(|run| run.staging));
    let (fresh, corrected) = (of(|run| run.fresh), of(|run| run.corrected));
    let (compared, recognised) = (of(|run| run.compared), of(|run| run.recognised));
    whole.line("raw binary COPY into the keyed table in one piece");
    copy.line("raw binary COPY into the keyed table by years");
    staging.line("raw staging table and ON CONFLICT");
    fresh.line("commit: fresh pages");
    compared.line("commit: identical pages, compared");
    recognised.line("commit: identical pages, recognised by digest");
    corrected.line("commit: pages with 1 % corrected");
    beside("postgres/copy_by_years_beside_one_piece", runs, |run| [run.copy, run.whole], 0.95);
    beside("postgres/fresh_beside_copy", runs, |run| [run.fresh, run.copy], 0.9);
    beside("postgres/fresh_beside_staging", runs, |run| [run.fresh, run.staging], 2.0);
    beside("postgres/identical_compared_beside_fresh", runs, |run| [run.compared, run.fresh], 1.5);
    beside("postgres/identical_recognised_beside_fresh", runs, |run| [run.recognised, run.fresh], 10.0);
    at_most("postgres/identical_compared_wal_bytes_a_bar", compared.wal_a_bar(), 1.0);
    at_most("postgres/identical_recognised_wal_bytes_a_bar", recognised.wal_a_bar(), 1.0);
    at_most("postgres/one_percent_corrected_wal_bytes_a_bar", corrected.wal_a_bar(), 15.0);
    at_most("postgres/heap_and_key_bytes_a_bar", runs[0].bytes_a_bar, 133.0);
    [copy, fresh]
}

/// By the clock, and by the server's processors. Within a repetition, where the two took turns page by page, so that
/// whatever disturbed the one disturbed the other; of repetitions the median.
fn beside(name: &str, runs: &[Run], costs: fn(&Run) -> [Cost; 2], wanted: f64) {
    let of = |rate: fn(&Cost) -> f64| {
        median(runs.iter().map(|run| costs(run).map(|cost| rate(&cost))).map(|[ours, other]| ours / other))
    };
    at_least(&format!("{name}_wall"), of(Cost::rate), wanted);
    at_least(&format!("{name}_server_cpu"), of(Cost::cpu_rate), wanted);
}

/// Two writers at once, beside one: the store, and raw COPY.
async fn two_connections(server: &str, size: &Size, [copy, fresh]: [Cost; 2]) {
    let pages = pages(size);
    let commits = commits(&pages);
    let (left, right) = pages.split_at(pages.len() / 2);
    let (first, second) = commits.split_at(commits.len() / 2);
    let mut both = Vec::new();
    for _ in 0..size.repetitions {
        let database = TestDatabase::on(server).await;
        let store = open(database.url()).await;
        let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
        raw::create(&mut raw, "raw_copy", size.range()).await;
        let mut other = PgConnection::connect(database.url()).await.expect("the server answers");
        let started = Instant::now();
        tokio::join!(copy_all(&mut raw, left), copy_all(&mut other, right));
        let copied = started.elapsed();
        let started = Instant::now();
        tokio::join!(commit_all(&store, first), commit_all(&store, second));
        both.push((copied, started.elapsed()));
    }
    let rate = |wall: Duration| (pages.len() * PAGE) as f64 / wall.as_secs_f64();
    let best = |wall: fn(&(Duration, Duration)) -> Duration| rate(both.iter().map(wall).min().unwrap_or_default());
    figure("postgres/two_connections_beside_one_copy", best(|(copied, _)| *copied) / copy.rate());
    figure("postgres/two_connections_beside_one_fresh", best(|(_, stored)| *stored) / fresh.rate());
    let ratio = median(both.iter().map(|(copied, stored)| rate(*stored) / rate(*copied)));
    at_least("postgres/two_connections_fresh_beside_copy", ratio, 0.9);
}

async fn copy_all(connection: &mut PgConnection, pages: &[NumberedPage]) {
    for (id, _, bars) in pages {
        raw::copy_page(connection, "raw_copy", *id, bars).await;
    }
}

fn commits(pages: &[NumberedPage]) -> Vec<Commit> {
    pages.iter().map(|(id, page, bars)| market::commit(*id as usize, *page, bars.clone())).collect()
}

async fn commit_all(store: &PostgresStore, commits: &[Commit]) {
    for commit in commits {
        store.commit(commit).await.expect("a page is committed");
    }
}

/// As a backfill brings them, series by series.
pub fn pages(size: &Size) -> Vec<NumberedPage> {
    let numbers = (1..=size.series).flat_map(|series| (0..size.pages).map(move |page| (series, page)));
    numbers.map(|(series, page)| (series as i32, page, market::bars(series, page))).collect()
}

/// The same, one bar in a hundred changed.
pub fn with_corrections(mut pages: Vec<NumberedPage>) -> Vec<NumberedPage> {
    for (_, _, bars) in &mut pages {
        for bar in bars.iter_mut().step_by(100) {
            bar.volume += 1.0;
        }
    }
    pages
}
