//! A whole backfill, beside its slowest stage run alone: a million bars from the simulator, which has no request limit,
//! into either database. And with a limit on: how long it takes beside what the limit allows.
//!
//!     cargo bench -p benches --bench backfill
//!     cargo bench -p benches --bench backfill -- m15/postgres    (or d1/sqlite, limited, ...)
//!
//! The simulator answers in this process, on the same cores, and is part of the client's stage and of the whole. It keeps its
//! answers, so that it costs no more than sending them: no vendor makes its bars on its customers' machines. The server of
//! PostgreSQL is on the same cores, too, and writes to a real disk.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use barkeep_alpaca::{Alpaca, Credentials};
use barkeep_alpaca_sim::{AlpacaSim, Listing, Market};
use barkeep_orchestrator::calendar::Nyse;
use barkeep_orchestrator::catalog::{Definition, Window};
use barkeep_orchestrator::database::Location;
use barkeep_orchestrator::provider::{
    BarsRequest, Fetched, Limits, Page, PageToken, ProvenPage, Provider, ProviderExt, RateLimited,
};
use barkeep_orchestrator::store::{Commit, ProviderName, State};
use barkeep_orchestrator::types::{Series, Symbol, TimeRange, Timeframe};
use barkeep_orchestrator::{Backend, Orchestrator};
use barkeep_test_postgres::{Server, TestDatabase};
use benches::{is_measuring, is_wanted, print_ratio};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

/// How many slices are fetched at once, and how many requests or commits a stage alone has under way.
const WORKERS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = tokio::task::spawn_blocking(Server::start_on_disk).await.expect("a server starts");
        for job in jobs() {
            stages(&job, &server).await;
        }
        if is_wanted("limited") {
            within_a_limit().await;
        }
        tokio::task::spawn_blocking(move || drop(server)).await.expect("the server stops");
    });
}

/// A million bars, in one of two shapes.
struct Job {
    name: &'static str,
    symbols: Vec<Symbol>,
    timeframe: Timeframe,
    window: TimeRange,
}

fn jobs() -> [Job; 2] {
    let (few, many, from) = if is_measuring() { (20, 2_000, "2016-05-10") } else { (2, 20, "2023-12-04") };
    let window = |from: &str| range(&format!("{from}T00:00:00Z"), "2024-01-01T00:00:00Z");
    // 26 quarter hours a session and 1,925 sessions; 500 days.
    let from_for_days = if is_measuring() { "2022-01-03" } else { from };
    [
        Job { name: "m15", symbols: symbols(few), timeframe: Timeframe::M15, window: window(from) },
        Job { name: "d1", symbols: symbols(many), timeframe: Timeframe::D1, window: window(from_for_days) },
    ]
}

/// Q, and three letters.
fn symbols(count: usize) -> Vec<Symbol> {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    let symbol = |n: usize| ['Q', letter(n / 676), letter(n / 26), letter(n)].iter().collect::<String>();
    (0..count).map(|n| symbol(n).parse().expect("a symbol")).collect()
}

fn range(from: &str, to: &str) -> TimeRange {
    let instant = |text: &str| text.parse().expect("an instant");
    TimeRange::new(instant(from), instant(to)).expect("a range")
}

impl Job {
    fn definition(&self) -> Definition {
        Definition::new("bench", self.symbols.clone(), vec![self.timeframe], Window::Fixed(self.window))
    }

    async fn simulator(&self) -> AlpacaSim {
        let listings = self.symbols.iter().cloned().map(Listing::new);
        let market = listings.fold(Market::empty(1), Market::with_listing);
        AlpacaSim::options().with_market(market).with_answers_kept(true).start().await.expect("a port is free")
    }
}

/// The whole beside its stages, on both databases.
async fn stages(job: &Job, server: &Server) {
    let name = |place: Place| format!("{}/{place:?}", job.name).to_lowercase();
    let places: Vec<Place> = [Place::Sqlite, Place::Postgres].into_iter().filter(|at| is_wanted(&name(*at))).collect();
    if places.is_empty() {
        return;
    }
    let simulator = job.simulator().await;
    // Once for nothing: the simulator remembers what it has worked out.
    let requests = whole(job, &simulator, Place::Sqlite, server).await.requests;
    let (client, pages) = client_alone(&simulator, &requests).await;
    for place in places {
        let mut shares = Vec::new();
        for _ in 0..if is_measuring() { 3 } else { 1 } {
            let whole = whole(job, &simulator, place, server).await;
            let (client_again, _) = client_alone(&simulator, &requests).await;
            let store = store_alone(&pages, place, server).await;
            let slowest = client.min(client_again).max(store);
            println!(
                "{}: {} bars, {} requests; whole {:.2} s, client alone {:.2} s, store alone {:.2} s; memory {} MiB then {} MiB",
                name(place),
                whole.bars,
                requests.len(),
                whole.time.as_secs_f64(),
                client_again.as_secs_f64(),
                store.as_secs_f64(),
                whole.memory.0,
                whole.memory.1,
            );
            shares.push((slowest.as_secs_f64() / whole.time.as_secs_f64(), whole.memory));
        }
        shares.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (share, memory) = shares[shares.len() / 2];
        let name = name(place);
        print_ratio(&format!("backfill/{name}/of_slowest_stage"), share);
        print_ratio(&format!("backfill/{name}/memory_second_half"), memory.1 as f64 / memory.0.max(1) as f64);
    }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Sqlite,
    Postgres,
}

/// A fresh database of one kind; gone with the value.
struct Fresh {
    url: String,
    _folder: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

impl Fresh {
    async fn at(place: Place, server: &Server) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (url, database) = match place {
            Place::Sqlite => (format!("sqlite://{}", folder.path().join("bars.db").display()), None),
            Place::Postgres => {
                let database = TestDatabase::on(&server.url()).await;
                (database.url().to_owned(), Some(database))
            }
        };
        Self { url, _folder: folder, _database: database }
    }

    async fn backend(&self) -> Backend {
        let location: Location = self.url.parse().expect("a location");
        Backend::open(&location, ProviderName::ALPACA).await.expect("a database")
    }
}

/// What a whole backfill came to. Memory: the most that was resident in its first half and in its second.
struct Whole {
    time: Duration,
    bars: u64,
    requests: Vec<BarsRequest>,
    memory: (u64, u64),
}

async fn whole(job: &Job, simulator: &AlpacaSim, place: Place, server: &Server) -> Whole {
    let fresh = Fresh::at(place, server).await;
    let recorded: Arc<Mutex<Vec<BarsRequest>>> = Arc::default();
    let provider = Recording { inner: client(simulator, None), recorded: Arc::clone(&recorded) };
    let orchestrator = Orchestrator::new(provider, Nyse, fresh.backend().await);
    let samples: Arc<Mutex<Vec<u64>>> = Arc::default();
    let watching = tokio::spawn(watch_memory(Arc::clone(&samples)));
    let started = Instant::now();
    let report = orchestrator.backfill(&[job.definition()], &CancellationToken::new()).await.expect("a backfill");
    let time = started.elapsed();
    watching.abort();
    assert!(report.complete, "{report:?}");
    let samples = std::mem::take(&mut *samples.lock().expect("nobody panicked"));
    let halves = samples.split_at(samples.len() / 2);
    let most = |half: &[u64]| half.iter().copied().max().unwrap_or_default();
    let requests = std::mem::take(&mut *recorded.lock().expect("nobody panicked"));
    Whole { time, bars: report.bars_written, requests, memory: (most(halves.0), most(halves.1)) }
}

/// Samples the resident memory of this process, in MiB.
async fn watch_memory(samples: Arc<Mutex<Vec<u64>>>) {
    const PAGES_A_MEBIBYTE: u64 = 256;
    loop {
        let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages: u64 = told.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
        samples.lock().expect("nobody panicked").push(pages / PAGES_A_MEBIBYTE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A client of the simulator, with a limit of so many requests a minute or none.
fn client(simulator: &AlpacaSim, requests_a_minute: Option<u32>) -> Alpaca {
    let credentials = Credentials::new("any", "any").expect("credentials");
    let alpaca = Alpaca::new(credentials).with_base_url(&simulator.base_url()).expect("a URL");
    let limits = Limits { requests_a_minute, earliest: None, ..alpaca.limits() };
    alpaca.with_limits(limits)
}

/// Remembers what was asked for.
#[derive(Debug)]
struct Recording<P> {
    inner: P,
    recorded: Arc<Mutex<Vec<BarsRequest>>>,
}

#[async_trait]
impl<P: Provider> Provider for Recording<P> {
    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    async fn page(
        &self,
        request: &BarsRequest,
        token: Option<&PageToken>,
    ) -> barkeep_orchestrator::provider::Result<Page> {
        if token.is_none() {
            self.recorded.lock().expect("nobody panicked").push(request.clone());
        }
        self.inner.page(request, token).await
    }
}

/// The same requests, with nothing done about the answers.
async fn client_alone(simulator: &AlpacaSim, requests: &[BarsRequest]) -> (Duration, Vec<(BarsRequest, ProvenPage)>) {
    let client = client(simulator, None);
    let started = Instant::now();
    let fetched = futures::stream::iter(requests).map(|request| fetch(&client, request)).buffer_unordered(WORKERS);
    let pages: Vec<Vec<_>> = fetched.collect().await;
    (started.elapsed(), pages.into_iter().flatten().collect())
}

async fn fetch(client: &Alpaca, request: &BarsRequest) -> Vec<(BarsRequest, ProvenPage)> {
    let fetched = client.fetch(request.clone()).map(|fetched| match fetched.expect("a page") {
        Fetched::Page(page) => (request.clone(), page),
        Fetched::Rejected { symbol, error } => panic!("{symbol}: {error}"),
    });
    fetched.collect().await
}

/// The same pages, with nobody to wait for.
async fn store_alone(pages: &[(BarsRequest, ProvenPage)], place: Place, server: &Server) -> Duration {
    let fresh = Fresh::at(place, server).await;
    let store = fresh.backend().await.store;
    let commits: Vec<_> = pages.iter().map(|(request, page)| commit(request, page)).collect();
    let started = Instant::now();
    let committed = futures::stream::iter(&commits).map(|commit| store.commit(commit)).buffer_unordered(WORKERS);
    committed.for_each(|committed| async { drop(committed.expect("a commit")) }).await;
    started.elapsed()
}

fn commit(request: &BarsRequest, page: &ProvenPage) -> Commit {
    let series = |symbol: &Symbol| Series {
        symbol: symbol.clone(),
        timeframe: request.timeframe(),
        feed: request.feed().clone(),
        adjustment: request.adjustment(),
    };
    let mut commit = Commit::new(request.range());
    for bars in &page.bars {
        commit = commit.with_bars(series(&bars.symbol), bars.bars.clone());
    }
    for proof in &page.proofs {
        commit = commit.with_proof(series(&proof.symbol), proof.range, State::Covered);
    }
    commit
}

/// How long a backfill takes beside what its requests take at the limit: for about two minutes, since a limiter starts with
/// some requests at once.
async fn within_a_limit() {
    let limit = 400;
    let days = if is_measuring() { "2021-01-04" } else { "2023-12-18" };
    let job = Job {
        name: "limited",
        symbols: symbols(20),
        timeframe: Timeframe::M15,
        window: range(&format!("{days}T00:00:00Z"), "2024-01-01T00:00:00Z"),
    };
    let simulator = job.simulator().await;
    let folder = tempfile::tempdir().expect("a folder");
    let location: Location =
        format!("sqlite://{}", folder.path().join("bars.db").display()).parse().expect("a location");
    let backend = Backend::open(&location, ProviderName::ALPACA).await.expect("a database");
    let provider = RateLimited::new(client(&simulator, Some(limit)));
    let orchestrator = Orchestrator::new(provider, Nyse, backend);
    let started = Instant::now();
    let report = orchestrator.backfill(&[job.definition()], &CancellationToken::new()).await.expect("a backfill");
    assert!(report.complete, "{report:?}");
    let allowed = report.requests as f64 * 60.0 / f64::from(limit);
    println!("limited to {limit} a minute: {} requests in {:.2} s", report.requests, started.elapsed().as_secs_f64());
    print_ratio("backfill/limited/of_requests_by_limit", started.elapsed().as_secs_f64() / allowed);
}
