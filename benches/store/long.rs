//! Whether the paths keep their pace as the table grows: raw COPY and the store page by page in turn, for as long as asked.

use std::time::Duration;

use barkeep_store::Store;
use barkeep_test_postgres::TestDatabase;
use barkeep_types::TimeRange;
use sqlx::{Connection, PgConnection};

use crate::market::{self, PAGE};
use crate::postgres::{Watch, best_of, ms, open, start};
use crate::raw;
use crate::report::{Cost, at_least, at_most, typical};

/// As many bars as the usual run is held to.
const STRETCH: usize = 5_000_000 / PAGE;
/// Pages of a series: 250,000 bars, some months of minutes.
const PAGES: usize = 25;

/// Writes `count` pages twice: 10,000 of them are 100,000,000 bars, and some 27 GB with the raw table.
pub async fn run(count: usize) {
    let server = tokio::task::spawn_blocking(start).await.expect("a server starts");
    println!("\nPostgreSQL, {} bars, in stretches of {}", count * PAGE, STRETCH.min(count) * PAGE);
    let database = TestDatabase::on(&server.url()).await;
    let store = open(database.url()).await;
    let mut watch = Watch::new(database.url()).await;
    let mut raw = PgConnection::connect(database.url()).await.expect("the server answers");
    raw::create(&mut raw, "raw_copy", market::range(0, PAGES)).await;
    let (mut stretches, [mut copy, mut fresh]) = (Vec::new(), [const { Vec::new() }; 2]);
    for number in 0..count {
        let (series, page) = (1 + number / PAGES, number % PAGES);
        let bars = market::bars(series, page);
        watch.start().await;
        raw::copy_page(&mut raw, "raw_copy", series as i32, &bars).await;
        copy.push(watch.stop(PAGE).await);
        let commit = market::commit(series, page, bars);
        watch.start().await;
        store.commit(&commit).await.expect("a page is committed");
        fresh.push(watch.stop(PAGE).await);
        if copy.len() == STRETCH || number + 1 == count {
            let [copied, stored] = [&mut copy, &mut fresh].map(|pages| typical(&std::mem::take(pages)));
            println!("after {} bars", (number + 1) * PAGE);
            copied.line("  raw binary COPY");
            stored.line("  commit: fresh pages");
            reads(&store, 1 + number / PAGES).await;
            stretches.push((copied, stored));
        }
    }
    let pace = |(copied, stored): &(Cost, Cost)| {
        (copied.cpu.as_secs_f64() / stored.cpu.as_secs_f64(), stored.rate() / copied.rate())
    };
    let ends = stretches.first().map(pace).zip(stretches.last().map(pace));
    if let Some((first, last)) = ends {
        at_least("long: fresh beside raw COPY at the end, server CPU", last.0, 0.9);
        at_least("long: fresh beside raw COPY at the end, wall", last.1, 0.9);
        at_least("long: that ratio beside the first stretch's, server CPU", last.0 / first.0, 0.8);
    }
    let bytes = watch.bytes("barkeep.store_bar").await as f64 / (count * PAGE) as f64;
    at_most("long: heap and index: bytes a bar", bytes, 133.0);
    tokio::task::spawn_blocking(move || drop((database, server))).await.expect("the server stops");
}

/// The reads whose cost must not grow with the table.
async fn reads(store: &barkeep_store::PostgresStore, series: usize) {
    const ROUNDS: usize = 5;
    let asked: Vec<_> = (1..=500).map(market::series).collect();
    let latest: Duration = best_of(ROUNDS, async || {
        let latest = store.latest(&asked).await.expect("latest bars are read");
        assert_eq!(latest.iter().flatten().count(), series.min(500));
    })
    .await;
    let coverage = best_of(ROUNDS, async || {
        store.coverage(&asked, TimeRange::ALWAYS).await.expect("coverage is read");
    })
    .await;
    let range = best_of(ROUNDS, async || {
        let bars = store.bars(&market::series(1), market::range(0, 10), 100_000).await.expect("bars are read");
        assert!(!bars.is_empty());
    })
    .await;
    println!(
        "  latest of 500 series {:.1} ms, their coverage {:.1} ms, 100,000 bars {:.0} ms",
        ms(latest),
        ms(coverage),
        ms(range)
    );
}
