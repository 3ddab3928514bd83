//! Whether the paths keep their pace as the table grows: every ratio at the end beside the same ratio at 5,000,000 bars.
//!
//! Raw COPY and the store take their pages in turn, into tables of equal size, so that a ratio compares like with like
//! whatever else the machine does.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use barkeep_store::{PostgresStore, Store};
use barkeep_test_postgres::TestDatabase;
use barkeep_types::TimeRange;
use sqlx::{Connection, PgConnection};

use crate::market::{self, PAGE};
use crate::postgres::{NumberedPage, with_corrections};
use crate::reads::{best_of, ms, open};
use crate::report::{Cost, at_least, at_most, figure, typical};
use crate::watch::Watch;
use crate::{raw, server};

/// As many bars as the usual run is held to.
const STRETCH: usize = 5_000_000 / PAGE;
/// Pages of a series: 250,000 bars, all of one year, so that one partition has to hold them.
const PAGES: usize = 25;
/// Every so many pages of a stretch one comes again.
const AGAIN: usize = 10;
/// A ratio may change by a fifth.
const KEPT: f64 = 0.8;

/// Writes `count` pages twice: 10,000 of them are 100,000,000 bars, and some 27 GB with the raw table.
///
/// Between pages it waits while the file `others` exists: whoever measures on the same machine makes it.
pub async fn run(count: usize, others: Option<PathBuf>) {
    let server = server::start(&[]).await;
    let stretch = STRETCH.min(count);
    println!("{} bars, in stretches of {}", count * PAGE, stretch * PAGE);
    let database = TestDatabase::on(&server.url()).await;
    let mut table = Growing::new(database.url(), others).await;
    let mut first = None;
    for from in (0..count).step_by(stretch) {
        let figures = table.grow(from, (from + stretch).min(count)).await;
        match &first {
            None => first = Some(figures),
            Some(first) => compare(first, &figures),
        }
    }
    let bytes = table.watch.bytes("barkeep.store_bar").await as f64 / (count * PAGE) as f64;
    at_most("long/heap_and_key_bytes_a_bar", bytes, 133.0);
    table.close().await;
    tokio::task::spawn_blocking(move || drop(database)).await.expect("the database is dropped");
    server::stop(server).await;
}

/// The store and a raw table of the same size.
struct Growing {
    store: PostgresStore,
    raw: PgConnection,
    watch: Watch,
    others: Option<PathBuf>,
}

/// Ratios at some size of the table, each of them the better the greater.
struct Figures(Vec<(&'static str, f64)>);

impl Growing {
    async fn new(url: &str, others: Option<PathBuf>) -> Self {
        let store = open(url).await;
        let watch = Watch::new(url).await;
        let mut raw = PgConnection::connect(url).await.expect("the server answers");
        raw::create(&mut raw, "raw_copy", market::range(0, PAGES)).await;
        Self { store, raw, watch, others }
    }

    async fn grow(&mut self, from: usize, to: usize) -> Figures {
        let (mut copied, mut stored, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for number in from..to {
            let (series, page) = (1 + number / PAGES, number % PAGES);
            while self.others.as_ref().is_some_and(|others| others.exists()) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let bars = market::bars(series, page);
            if number % AGAIN == 0 {
                again.push((series as i32, page, bars.clone()));
            }
            self.watch.start().await;
            raw::copy_page(&mut self.raw, "raw_copy", series as i32, &bars).await;
            copied.push(self.watch.stop(PAGE).await);
            let commit = market::commit(series, page, bars);
            self.watch.start().await;
            self.store.commit(&commit).await.expect("a page is committed");
            stored.push(self.watch.stop(PAGE).await);
        }
        println!("after {} bars", to * PAGE);
        let [copied, stored] = [copied, stored].map(|pages| typical(&pages));
        copied.line("raw binary COPY");
        stored.line("commit: fresh pages");
        let mut figures = vec![
            ("fresh_beside_copy_server_cpu", stored.cpu_rate() / copied.cpu_rate()),
            ("fresh_beside_copy_wall", stored.rate() / copied.rate()),
        ];
        self.pages_again(again, &stored, &mut figures).await;
        self.reads(to.div_ceil(PAGES), &mut figures).await;
        Figures(figures)
    }

    /// Pages of this stretch, once more.
    async fn pages_again(&mut self, pages: Vec<NumberedPage>, fresh: &Cost, figures: &mut Vec<(&'static str, f64)>) {
        let recognised = self.watch.commits(&self.store, &pages).await;
        self.watch.forget_digests().await;
        let compared = self.watch.commits(&self.store, &pages).await;
        let corrected = self.watch.commits(&self.store, &with_corrections(pages)).await;
        compared.line("commit: identical pages, compared");
        recognised.line("commit: identical pages, recognised by digest");
        corrected.line("commit: pages with 1 % corrected");
        figures.extend([
            ("identical_compared_beside_fresh_server_cpu", compared.cpu_rate() / fresh.cpu_rate()),
            ("identical_compared_beside_fresh_wall", compared.rate() / fresh.rate()),
            ("identical_recognised_beside_fresh_wall", recognised.rate() / fresh.rate()),
        ]);
        at_most("long/identical_compared_wal_bytes_a_bar", compared.wal_a_bar(), 1.0);
        at_most("long/one_percent_corrected_wal_bytes_a_bar", corrected.wal_a_bar(), 15.0);
    }

    async fn reads(&mut self, known: usize, figures: &mut Vec<(&'static str, f64)>) {
        const ROUNDS: usize = 5;
        let asked: Vec<_> = (1..=500).map(market::series).collect();
        let latest: Duration = best_of(ROUNDS, async || {
            let latest = self.store.latest(&asked).await.expect("latest bars are read");
            assert_eq!(latest.iter().flatten().count(), known.min(asked.len()));
        })
        .await;
        let coverage = best_of(ROUNDS, async || {
            self.store.coverage(&asked, TimeRange::ALWAYS).await.expect("coverage is read");
        })
        .await;
        let (range, series) = (market::range(0, 10), market::series(1));
        let (mut plain, mut ours) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let started = Instant::now();
            raw::rows(&mut self.raw, range).await;
            plain = plain.min(started.elapsed());
            let started = Instant::now();
            let bars = self.store.bars(&series, range, usize::MAX).await.expect("bars are read");
            ours = ours.min(started.elapsed());
            assert!(!bars.is_empty());
        }
        at_most("long/latest_of_500_series_ms", ms(latest), 10.0);
        figure("long/coverage_of_500_series_ms", ms(coverage));
        figures.push(("range_beside_raw_rows", plain.as_secs_f64() / ours.as_secs_f64()));
    }

    async fn close(self) {
        let Self { raw, watch, .. } = self;
        raw.close().await.expect("the connection ends");
        watch.close().await;
    }
}

fn compare(first: &Figures, last: &Figures) {
    for ((name, before), (_, after)) in first.0.iter().zip(&last.0) {
        figure(&format!("long/{name}_at_first"), *before);
        figure(&format!("long/{name}"), *after);
        at_least(&format!("long/{name}_beside_the_first"), after / before, KEPT);
    }
}
